"""`import allos` over bare Python, and `%load_ext allos` in a real kernel.

Run: .venv/bin/python -m tests.perf.bench_import
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.perf._side_by_side import heading, seconds
from tests.support.jupyter import Kernel

ROUNDS, LOADS = 21, 9
HEAVY = [
    "openai",
    "anthropic",
    "httpx2",
    "pandas",
    "numpy",
    "asyncio",
    "ipywidgets",
    "IPython",
    "pydantic",
]


def main() -> None:
    """Print the figures."""
    print(heading("allos-jupyter", "ipython", "ipykernel"))
    bare, ours = [], []
    for _ in range(ROUNDS):
        bare.append(seconds(lambda: _python("pass")))
        ours.append(seconds(lambda: _python("import allos")))
    more = statistics.median(b - a for a, b in zip(bare, ours, strict=True))
    print(
        f"import allos over bare Python: {more * 1e3:.1f} ms (bar: at most 40)   "
        f"{statistics.median(ours) * 1e3:.0f} against {statistics.median(bare) * 1e3:.0f} ms"
    )
    loaded = _python(f"import allos, sys; print([m for m in {HEAVY} if m in sys.modules])")
    print(f"heavy modules loaded by it: {loaded}")
    cpu = []
    for _ in range(LOADS):
        with tempfile.TemporaryDirectory() as folder, Kernel(Path(folder)) as kernel:
            result = kernel.run(
                "import time; start = time.process_time()\n%load_ext allos\n"
                "print(time.process_time() - start)"
            )
            cpu.append(float(result.stdout))
    print(
        f"%load_ext allos in a kernel: {statistics.median(cpu) * 1e3:.1f} ms CPU "
        f"(bar: at most 50; {min(cpu) * 1e3:.1f} to {max(cpu) * 1e3:.1f})"
    )


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
