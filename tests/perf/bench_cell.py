"""What a `%%allos` cell costs beside the bare call that it makes, and how soon a stop gives the prompt back.

Run: .venv/bin/python -m tests.perf.bench_cell
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from tests.perf._side_by_side import heading
from tests.support.fake_server.process import FakeProcess
from tests.support.jupyter import Kernel

CELLS, ROUNDS, STOPS = 100, 15, 9

BAR = (1.1 + 1.2) / 1.1
"""A cell may cost 1.2 ms more than a raw call where that costs 1.1 ms; elsewhere in proportion."""

# Cells run inside the kernel, so that neither the messages nor the test's own process count.
MEASURE = f"""
import time
import openai
from allos.providers import ProviderRegistry
client = openai.OpenAI(base_url={{base_url!r}}, api_key="sk-none-needed")
provider = ProviderRegistry.get_provider("groq", model="m")
shell = get_ipython()
def cpu(run):
    start = time.process_time()
    for _ in range({CELLS}):
        run()
    return (time.process_time() - start) / {CELLS} * 1e3
def cell():
    shell.run_cell_magic("allos", "groq/m -q", "Say hello.")
def painted():
    shell.run_cell_magic("allos", "groq/m", "Say hello.")
def raw():
    client.chat.completions.create(
        model="m", messages=[{{{{"role": "user", "content": "Say hello."}}}}]
    ).choices[0].message.content
def bare():
    provider.chat("Say hello.")
def streamed():
    with provider.stream("Say hello.") as stream:
        "".join(stream)
runs = (raw, bare, streamed, cell, painted)
for run in runs:
    run()
found = [[cpu(run) for run in runs] for _ in range({ROUNDS})]
"""


# Whole cells, as a notebook runs them: each a message, with what the kernel itself costs.
WHOLE = {
    "empty": "pass",
    "raw call, shown": "client.chat.completions.create("
    'model="m", messages=[{"role": "user", "content": "Say hello."}]).choices[0].message.content',
    "allos": "%%allos groq/m\nSay hello.",
}


def _whole(kernel: Kernel) -> dict[str, float]:
    """CPU of the kernel for one cell of each kind, ms."""
    found: dict[str, list[float]] = {name: [] for name in WHOLE}
    for _ in range(ROUNDS // 2):
        for name, cell in WHOLE.items():
            before = kernel.value("time.process_time()")
            for _ in range(CELLS // 4):
                kernel.run(cell)
            used = kernel.value("time.process_time()") - before
            found[name].append(used / (CELLS // 4) * 1e3)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    """Print the figures."""
    print(heading("allos-jupyter", "ipython", "ipykernel"))
    with FakeProcess("--reply", "Hello there.") as server, _kernel(server.base_url) as kernel:
        kernel.run("%load_ext allos")
        measured = kernel.run(MEASURE.format(base_url=server.base_url), timeout_s=300)
        assert measured.status == "ok", measured
        found = eval(kernel.run("print(found)").stdout)  # our own floats
        raw, bare, streamed, quiet, painted = (
            statistics.median(each) for each in zip(*found, strict=True)
        )
        whole = _whole(kernel)
        ratio = statistics.median(row[-1] / row[0] for row in found)
    print(
        f"CPU of a shown cell to the raw openai SDK call: {ratio:.2f} (bar: at most {BAR:.2f})   "
        f"raw {raw:.2f}, our own call {bare:.2f}, streamed {streamed:.2f}, "
        f"cell not shown {quiet:.2f}, shown {painted:.2f} ms"
    )
    parts = ", ".join(f"{name} {value:.1f}" for name, value in whole.items())
    print(f"CPU of a kernel for a whole cell: {parts} ms")
    with (
        FakeProcess("--chunks", "100000", "--delay", "0.01") as server,
        _kernel(server.base_url) as kernel,
    ):
        kernel.run("%load_ext allos")
        waits = []
        for _ in range(STOPS):
            running = kernel.start("%%allos groq/m\nCount.")
            running.until(lambda result: len(result.displays) > 1)
            kernel.interrupt()
            running.wait()
            waits.append(running.interrupt_to_idle_s or 0.0)
    print(
        f"stop button to prompt back: {statistics.median(waits) * 1e3:.0f} ms (bar: at most 200; "
        f"up to {max(waits) * 1e3:.0f})"
    )


def _kernel(base_url: str) -> Kernel:
    folder = tempfile.mkdtemp(prefix="allos-bench-")
    return Kernel(
        Path(folder),
        {
            "GROQ_BASE_URL": base_url,
            "GROQ_API_KEY": "gsk-none-needed",
            "ALLOS_LOG": f"{folder}/log.sqlite",
        },
    )


if __name__ == "__main__":
    main()
