"""What a summary costs: CPU and wall time of `allos.analysis` on a million rows.

Run: ``python tests/perf/bench_analysis_summary.py [rows]``. It prints figures with versions and asserts
nothing.
"""

from __future__ import annotations

import os
import platform
import sys
import time

import numpy as np
import pandas as pd

import allos
from allos import analysis
from allos.dtypes import text_dtype


def frame_of_calls(rows: int) -> pd.DataFrame:
    """Calls of six models on a thousand prompts, 3 % of them failed, a tenth with an unknown cost."""
    generator = np.random.default_rng(1)

    def chosen(*words: str, p: list[float] | None = None) -> pd.Series:
        return pd.Series(generator.choice(np.array(words), rows, p=p), dtype=text_dtype())

    def measured() -> pd.Series:
        return pd.Series(generator.random(rows), dtype="Float64")

    start = pd.Timestamp("2026-11-01", tz="UTC")
    return pd.DataFrame(
        {
            "created_at": start + pd.to_timedelta(generator.integers(0, 10**6, rows), unit="s"),
            "provider": chosen("groq", "openai", "anthropic"),
            "model": chosen("a", "b", "c", "d", "e", "f"),
            "prompt": chosen(*(f"Question {number}: why?" for number in range(1000))),
            "status": chosen("ok", "error", p=[0.97, 0.03]),
            "error_type": chosen("RateLimitError", "ProviderTimeoutError"),
            "latency_s": measured(),
            "time_to_first_token_s": measured(),
            "tokens_per_second": measured(),
            "input_tokens": pd.Series(generator.integers(0, 1000, rows), dtype="Int64"),
            "output_tokens": pd.Series(generator.integers(0, 1000, rows), dtype="Int64"),
            "cost_usd": measured().mask(generator.random(rows) < 0.1),
        }
    )


def main(rows: int) -> None:
    print(
        f"allos {allos.__version__}, Python {platform.python_version()}, pandas {pd.__version__}, "
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {rows:,} rows"
    )
    frame = frame_of_calls(rows)
    tasks = {
        'summary(by="model")': lambda: analysis.summary(frame),
        'summary(by=["provider", "model"])': lambda: analysis.summary(frame, ["provider", "model"]),
        'summary(per="prompt")': lambda: analysis.summary(frame, per="prompt"),
        "cost_report()": lambda: analysis.cost_report(frame),
        "errors()": lambda: analysis.errors(frame),
        "timeline()": lambda: analysis.timeline(frame),
    }
    for name, task in tasks.items():
        best = float("inf")
        for _ in range(3):
            begun = time.perf_counter()
            task()
            best = min(best, time.perf_counter() - begun)
        print(f"{name:36} {best:6.3f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
