"""One sync call and one stream, as ratios to the raw SDK, against a loopback server.

Run: .venv/bin/python -m tests.perf.bench_call
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from tests.perf._side_by_side import heading, ratio
from tests.support.fake_server.process import FakeProcess

CALLS, ROUNDS = 50, 41
CHUNKS, STREAMS, STREAM_ROUNDS = 2000, 2, 7
PROMPT = "Say hello."


def main() -> None:
    """Print the figures."""
    os.environ.pop("ALLOS_LOG", None)
    print(heading("allos-jupyter", "openai", "anthropic", "httpx2", "aiohttp", "uvloop"))
    with tempfile.TemporaryDirectory() as folder, FakeProcess("--reply", "Hello there.") as server:
        import allos

        allos.log.open(Path(folder) / "log.sqlite")
        _openai(server.base_url)
        _anthropic(server.url)
        allos.log.flush()
        allos.log.close()
    with FakeProcess("--chunks", str(CHUNKS)) as server:
        _streams(server.base_url)


def _ours(name: str, base_url: str, **kwargs: Any) -> Any:
    from allos.providers import ProviderRegistry

    return ProviderRegistry.get_provider(
        name, model="m", base_url=base_url, api_key="sk-none-needed", **kwargs
    )


def _openai(base_url: str) -> None:
    import openai

    provider = _ours("chat_completions", base_url)
    with openai.OpenAI(base_url=base_url, api_key="sk-none-needed") as client:

        def ours() -> None:
            for _ in range(CALLS):
                provider.chat(PROMPT)

        def raw() -> None:
            for _ in range(CALLS):
                client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": PROMPT}]
                )

        found, mine, theirs = ratio(ours, raw, ROUNDS)
    _say("sync call, log on, to raw openai SDK", found, 0.90, mine / CALLS, theirs / CALLS)


def _anthropic(url: str) -> None:
    import anthropic

    provider = _ours("anthropic", url)
    with anthropic.Anthropic(base_url=url, api_key="sk-none-needed") as client:

        def ours() -> None:
            for _ in range(CALLS):
                provider.chat(PROMPT)

        def raw() -> None:
            for _ in range(CALLS):
                client.messages.create(
                    model="m", max_tokens=4096, messages=[{"role": "user", "content": PROMPT}]
                )

        found, mine, theirs = ratio(ours, raw, ROUNDS)
    _say("sync call, log on, to raw anthropic SDK", found, 1.00, mine / CALLS, theirs / CALLS)


def _streams(base_url: str) -> None:
    import openai

    provider = _ours("chat_completions", base_url)
    total = CHUNKS * STREAMS
    with openai.OpenAI(base_url=base_url, api_key="sk-none-needed") as client:

        def ours() -> None:
            for _ in range(STREAMS):
                with provider.stream(PROMPT) as stream:
                    assert sum(1 for _ in stream) == CHUNKS

        def raw() -> None:
            for _ in range(STREAMS):
                stream = client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": PROMPT}], stream=True
                )
                assert sum(bool(c.choices and c.choices[0].delta.content) for c in stream) == CHUNKS

        found, mine, theirs = ratio(ours, raw, STREAM_ROUNDS)
    print(
        f"streaming, chunks per second to raw openai SDK: {1 / found:.1f} (bar: at least 8)   "
        f"{total / mine:,.0f} against {total / theirs:,.0f} chunks/s"
    )


def _say(what: str, found: float, bar: float, mine_s: float, theirs_s: float) -> None:
    print(
        f"{what}: {found:.2f} (bar: at most {bar:.2f})   "
        f"{mine_s * 1e3:.2f} against {theirs_s * 1e3:.2f} ms"
    )


if __name__ == "__main__":
    main()
