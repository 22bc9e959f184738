"""How much slower the slowest of 100 warm calls is than the median one, with and without the log.

Both take turns in one run, with the raw SDK beside them: what the machine itself does to a call is in
all three.

Run: .venv/bin/python -m tests.perf.bench_call_tail
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.perf._side_by_side import heading, seconds
from tests.support.fake_server.process import FakeProcess

CALLS, ROUNDS, WARM = 100, 40, 200
PROMPT = "Say hello."


def main() -> None:
    """Print the figures."""
    import openai

    import allos
    from allos.providers import ProviderRegistry

    print(heading("allos-jupyter", "openai"))
    with (
        tempfile.TemporaryDirectory() as folder,
        FakeProcess("--reply", "Hello there.") as server,
        openai.OpenAI(base_url=server.base_url, api_key="sk-none-needed") as client,
    ):
        provider = ProviderRegistry.get_provider(
            "chat_completions", model="m", base_url=server.base_url, api_key="sk-none-needed"
        )

        def ask() -> object:
            return provider.chat(PROMPT)

        def ask_raw() -> object:
            messages: Any = [{"role": "user", "content": PROMPT}]
            return client.chat.completions.create(model="m", messages=messages)

        ways: dict[str, Callable[[], object]] = {"log on": ask, "log off": ask, "raw SDK": ask_raw}
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(WARM):
            ask(), ask_raw()
        gc.collect()
        gc.freeze()
        for _ in range(ROUNDS):
            for name, way in ways.items():
                if name == "log on":
                    allos.log.open(Path(folder) / "log.sqlite")
                else:
                    allos.log.close()
                times[name] += [seconds(way) for _ in range(CALLS)]
        allos.log.close()
    for name, found in times.items():
        found.sort()
        median, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
        print(
            f"{name}: p99 {p99 * 1e3:.2f} ms, median {median * 1e3:.2f} ms: ratio {p99 / median:.2f}"
            + (" (bar: at most 1.5)" if name == "log on" else "")
        )


if __name__ == "__main__":
    main()
