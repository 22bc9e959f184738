"""From the start of a process to its first answer, beside the raw SDK's program; and the first cell.

Run: .venv/bin/python -m tests.perf.bench_first_answer
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from tests.perf._side_by_side import heading
from tests.support.fake_server import FakeServer
from tests.support.jupyter import Kernel

ROUNDS, KERNELS = 31, 7

RAW = """
import openai, sys
client = openai.OpenAI(base_url=sys.argv[1], api_key="sk-example")
messages = [{"role": "user", "content": "Hi"}]
print(client.chat.completions.create(model="m", messages=messages).choices[0].message.content, flush=True)
"""
OURS = """
import sys
from allos.providers import ProviderRegistry
provider = ProviderRegistry.get_provider(
    "chat_completions", model="m", base_url=sys.argv[1], api_key="sk-example"
)
print(provider.chat("Hi").content, flush=True)
"""
REGISTRY = "from allos.providers import ProviderRegistry"


def main() -> None:
    """Print the figures."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every process compiles allos anew
    print(heading("allos-jupyter", "openai", "ipykernel"))
    with tempfile.TemporaryDirectory() as folder, FakeServer() as server:
        pairs = [
            (_first_line(OURS, server.base_url, folder), _first_line(RAW, server.base_url, folder))
            for _ in range(ROUNDS)
        ]
        imports = [_seconds(REGISTRY, folder) - _seconds("pass", folder) for _ in range(ROUNDS)]
        _cells(server.base_url)
    print(
        f"process start to first answer, to raw openai SDK: "
        f"{statistics.median(a / b for a, b in pairs):.2f} (bar: at most 1.05)   "
        f"{statistics.median(a for a, _ in pairs) * 1e3:.0f} against "
        f"{statistics.median(b for _, b in pairs) * 1e3:.0f} ms; fastest "
        f"{min(a for a, _ in pairs) * 1e3:.0f} against {min(b for _, b in pairs) * 1e3:.0f} ms"
    )
    print(
        f"{REGISTRY}, over bare Python: {statistics.median(imports) * 1e3:.0f} ms (bar: at most 60)"
    )


def _cells(base_url: str) -> None:
    """The first and the second cell after `%load_ext`, beside the SDK's own import."""
    first, second, sdk = [], [], []
    cell = f"%%allos chat_completions m --base-url {base_url}\nHi"
    for _ in range(KERNELS):
        with tempfile.TemporaryDirectory() as folder, Kernel(Path(folder)) as kernel:
            kernel.run("%load_ext allos")
            first.append(_timed(kernel, cell))
            second.append(_timed(kernel, cell))
        with tempfile.TemporaryDirectory() as folder, Kernel(Path(folder)) as kernel:
            kernel.run("pass")
            sdk.append(_timed(kernel, "import openai"))
    more = statistics.median(first) - statistics.median(second)
    print(
        f"first cell {statistics.median(first) * 1e3:.0f} ms, second "
        f"{statistics.median(second) * 1e3:.0f} ms; {more * 1e3:.0f} ms more, the SDK's import alone "
        f"{statistics.median(sdk) * 1e3:.0f} ms: ratio {more / statistics.median(sdk):.2f} (bar: at most 1)"
    )


def _timed(kernel: Kernel, code: str) -> float:
    start = perf_counter()
    kernel.run(code)
    return perf_counter() - start


def _environment(folder: str) -> dict[str, str]:
    return {**os.environ, "ALLOS_LOG": str(Path(folder) / "log.sqlite")}


def _first_line(code: str, url: str, folder: str) -> float:
    start = perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, url], env=_environment(folder), stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip()
        return perf_counter() - start


def _seconds(code: str, folder: str) -> float:
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=_environment(folder))
    return perf_counter() - start


if __name__ == "__main__":
    main()
