"""What two thousand cells cost: to start them, and to tell a board what is new.

Run: .venv/bin/python -m tests.perf.bench_grid
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
from collections.abc import Callable
from time import perf_counter, process_time, thread_time
from typing import TYPE_CHECKING

from tests.perf._side_by_side import heading
from tests.support.fake_server.process import FakeProcess

if TYPE_CHECKING:
    from allos.runs.cell import Cell

COLUMNS, REPEATS, CHANGED, ROUNDS = 20, 100, 10, 31


def main() -> None:
    """Print the figures."""
    print(heading("allos-jupyter", "openai", "aiohttp", "uvloop"))
    with tempfile.TemporaryDirectory() as folder, FakeProcess("--reply", "Hi") as server:
        os.environ["ALLOS_LOG"] = f"{folder}/log.sqlite"
        import allos
        from allos.providers import ProviderRegistry

        models = [
            ProviderRegistry.get_provider(
                "chat_completions", model=f"m{number}", base_url=server.base_url
            )
            for number in range(COLUMNS)
        ]
        allos.compare("Hi", models=models).wait()  # imports and connections
        began, cpu_began = perf_counter(), process_time()
        comparison = allos.compare("Hi", models=models, n=REPEATS)
        returned_s = perf_counter() - began
        threads = 0
        while any(cell.state == "queued" for cell in comparison.cells):
            threads = max(threads, sum(t.name == "allos-start" for t in threading.enumerate()))
            threading.Event().wait(0.005)
        started_s = perf_counter() - began
        comparison.wait()
        print(
            f"{COLUMNS * REPEATS:,} cells: compare() returned after {1000 * returned_s:.0f} ms, all "
            f"were started after {started_s:.2f} s by at most {threads} threads and answered after "
            f"{perf_counter() - began:.2f} s; {process_time() - cpu_began:.2f} s of CPU"
        )
        allos.log.close()
    flushes()
    print(f"a grid of 100,000 tasks: {schedule():.0f} µs to make and start a task that is not sent")


def flushes() -> None:
    """Print what it takes to work out a message for the board's page."""
    from allos.events import TextDelta
    from allos.messages import Message, MessageRole
    from allos.response import ProviderResponse
    from allos.runs.board_messages.updates import BoardUpdates
    from allos.runs.comparison import Comparison
    from allos.runs.grid import Grid, build_columns

    columns = build_columns([f"groq/m{number}" for number in range(COLUMNS)], [{}], {})
    comparison = Comparison(Grid([(Message(MessageRole.USER, "Hi"),)], columns, n=REPEATS))
    facts = {"latency_s": 1.0, "attempts": 1, "cost_usd": 0.01, "output_tokens": 2}
    answer = ProviderResponse("An **answer**.", metadata=facts)
    order = [comparison.cells[199 * k % len(comparison.cells)] for k in range(COLUMNS * REPEATS)]
    half = len(order) // 2
    for cell in order[:half]:
        cell._finish(answer)
    board = BoardUpdates(comparison)

    def median_ms(change: Callable[[Cell], object]) -> float:
        times_s = []
        for number in range(ROUNDS):
            for cell in order[half + number * CHANGED : half + (number + 1) * CHANGED]:
                change(cell)
            began = thread_time()
            board.changes()
            times_s.append(thread_time() - began)
        return 1000 * statistics.median(times_s)

    texts = median_ms(lambda cell: cell._receive(0, [TextDelta("word ")]))
    answers = median_ms(lambda cell: cell._finish(answer))
    print(
        f"a message to the board with {CHANGED} texts: {texts:.2f} ms; with {CHANGED} answers: "
        f"{answers:.2f} ms; with nothing: {median_ms(lambda _: None):.3f} ms"
    )


def schedule() -> float:
    """Microseconds for each task of a large grid, without the calls themselves."""
    from allos.messages import Message, MessageRole
    from allos.runs.grid import Grid, build_columns
    from allos.runs.scheduler import Scheduler

    count = 100_000
    hello = (Message(MessageRole.USER, "Hi {{ x }}"),)
    columns = build_columns([f"groq/m{n}" for n in range(4)], [{"temperature": 0}], {})
    grid = Grid([hello], columns, rows=[{"x": number} for number in range(count // 4)])
    seen, done = [0], threading.Event()
    lock = threading.Lock()

    def submit(_task: object) -> None:
        with lock:
            seen[0] += 1
            if seen[0] == count:
                done.set()

    began = perf_counter()
    run = Scheduler(submit)
    run.add(("groq", grid.tasks_of(column)) for column in grid.columns)
    done.wait()
    return 1e6 * (perf_counter() - began) / count


if __name__ == "__main__":
    main()
