"""Wall time of a fan-out to four endpoints, as a ratio to the slowest of them.

Run: .venv/bin/python -m tests.perf.bench_compare
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile

from tests.perf._side_by_side import heading, seconds
from tests.support.fake_server.process import FakeProcess

DELAYS_S, ROUNDS = (0.2, 0.3, 0.4, 0.5), 21


def main() -> None:
    """Print the figures."""
    print(heading("allos-jupyter", "openai", "aiohttp", "uvloop"))
    replies = [
        part
        for number, delay_s in enumerate(DELAYS_S)
        for part in ("--on", f"m{number}", json.dumps({"text": "Hi", "first_delay_s": delay_s}))
    ]
    with tempfile.TemporaryDirectory() as folder, FakeProcess(*replies) as server:
        os.environ["ALLOS_LOG"] = f"{folder}/log.sqlite"
        import allos
        from allos.providers import ProviderRegistry

        models = [
            ProviderRegistry.get_provider(
                "chat_completions", model=f"m{number}", base_url=server.base_url
            )
            for number in range(len(DELAYS_S))
        ]

        def fan_out() -> None:
            answers = allos.compare("Hi", models=models).responses
            assert [answer.content for answer in answers] == ["Hi"] * len(DELAYS_S)

        fan_out()
        walls = [seconds(fan_out) for _ in range(ROUNDS)]
        allos.log.close()
    found = statistics.median(walls) / max(DELAYS_S)
    print(
        f"fan-out to {len(DELAYS_S)} endpoints, wall to the slowest: {found:.3f} "
        f"(bar: at most 1.02; {min(walls) / max(DELAYS_S):.3f} to {max(walls) / max(DELAYS_S):.3f})"
    )


if __name__ == "__main__":
    main()
