"""A replayed call against a call of the same provider to a loopback server; opening and recording.

Run: .venv/bin/python -m tests.perf.bench_replay
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.perf._side_by_side import heading, ratio, seconds
from tests.support.fake_server.process import FakeProcess

CALLS, ROUNDS = 50, 41
MANY = 1000
PROMPT = "Say hello."


def main() -> None:
    """Print the figures."""
    os.environ.pop("ALLOS_LOG", None)
    print(heading("allos-jupyter", "openai", "aiohttp", "uvloop"))
    with tempfile.TemporaryDirectory() as folder, FakeProcess("--reply", "Hello there.") as server:
        os.chdir(folder)
        import allos
        from allos.providers import ProviderRegistry

        allos.log.open(Path(folder) / "log.sqlite")
        provider = ProviderRegistry.get_provider(
            "chat_completions", model="m", base_url=server.base_url, api_key="sk-none-needed"
        )

        def ask() -> None:
            for at in range(CALLS):
                provider.chat(PROMPT, seed=at)

        def requested() -> None:
            allos.replay(mode="off")
            ask()

        def replayed() -> None:
            allos.replay("few.jsonl", mode="strict")
            ask()

        allos.replay("few.jsonl", mode="record")
        ask()
        found, mine, theirs = ratio(replayed, requested, ROUNDS)
        print(
            f"replayed call, log on, file opened again each {CALLS} calls, to a loopback call: "
            f"{found:.2f}   {mine / CALLS * 1e3:.2f} against {theirs / CALLS * 1e3:.2f} ms"
        )
        _many(provider)
        allos.replay(mode="off")
        allos.log.flush()
        allos.log.close()


def _many(provider: object) -> None:
    import allos

    def record(first: int, count: int) -> None:
        for at in range(first, first + count):
            provider.chat(PROMPT, seed=at)  # type: ignore[attr-defined]
        allos.replay().flush()

    allos.replay("many.jsonl", mode="record")
    early = seconds(lambda: record(0, MANY))
    record(MANY, 9 * MANY)
    late = seconds(lambda: record(10 * MANY, MANY))
    closing = seconds(lambda: allos.replay(mode="off"))
    opening = seconds(lambda: allos.replay("many.jsonl", mode="strict"))
    size = Path("many.jsonl").stat().st_size
    print(
        f"{MANY:,} calls recorded: {early:.2f} s into an empty file, {late:.2f} s behind "
        f"{10 * MANY:,} records; {11 * MANY:,} records ({size / 1e6:.1f} MB): compacted and closed in "
        f"{closing:.2f} s, opened in {opening:.2f} s"
    )


if __name__ == "__main__":
    main()
