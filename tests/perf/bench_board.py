"""What a live board costs its kernel: eight columns at 200 tokens/s for ten seconds, while a cell runs.

Bars: at most 2 % of a core for painting, at most 15 comm messages a second. The way from the message to
the screen is the browser's and not measured here. What a kernel loads once, when the first answer holds
Markdown, is a figure of its own.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import allos
from tests.perf._board import COLUMNS, RUN_S, SHOW, TOKENS_PER_S
from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Kernel

_LOAD = """
import time
began = time.thread_time()
from allos.render.markdown import markdown_html
markdown_html({!r})
print(1000 * (time.thread_time() - began))
"""
_MEANWHILE = """
began = time.perf_counter()
while not c.done:
    time.sleep(0.01)
c.wait(60)
time.sleep(0.3)
print(spent_s, time.perf_counter() - began, min(r.latency_s for r in c.responses))
"""

_TOKEN_CHARS = 6

# Denser than any answer: all that Markdown has within 100 tokens, over and over.
_DENSE = r"""## A step further

Some **words** about `time_to_first_token_s`, and why $t_{@} \le t_1$ holds for every answer that streams.

1. Load the rows, and keep those that were **streamed**.
2. Drop the ones without a first token:
   they were answered whole.
3. Group by model, and take the median.

```python
df = allos.responses(since="1d")
streamed_@ = df.dropna(subset=["time_to_first_token_s"])
print(streamed_@.groupby("model")["latency_s"].median())
```

| model | latency | tokens |
| --- | --: | --: |
| `llama-3.1-8b-instant` | 0.92 s | 187 |
| `gpt-5-mini` | 2.10 s | 88 |

$$\bar{t}_{@} = \frac{1}{n} \sum_{i=1}^{n} t_i$$

"""

# As a model answers at length: 600 tokens with three headings, two lists, 15 lines of code, one table and
# six formulas.
_ANSWER = r'''## Why the median, and not the mean

Latency is skewed: most answers come after about a second, and a few take twenty. The mean follows those few, while
the **median** says what a person who waits will usually see. If a share $p$ of the calls takes $t_{@}$ seconds
longer, the mean grows by $p \cdot t_{@}$ and the median hardly moves. That is why dashboards show the median beside
a high percentile, and leave the mean to those who pay for the time.

There are three things to settle before you compare two models:

1. **Which calls count.** Failed calls end early, so they make a slow service look fast. Keep them out of the times,
   and count them on their own.
2. **What is measured.** The time to the first token is what a reader feels; the whole time depends on how much the
   model has to say. Divide by the number of tokens where the lengths differ.
3. **How many calls there are.** With fewer than 30 the median is rough, and a difference of 10 % means nothing.

### In pandas

The function below keeps the calls that ended well, and gives one row for each model:

```python
import pandas as pd


def latency_@(frame: pd.DataFrame, by: str = "model") -> pd.DataFrame:
    """Median and 95th percentile of the latency, in seconds."""
    kept = frame[(frame["status"] == "ok") & frame["latency_s"].notna()]
    if kept.empty:
        raise ValueError(f"no call of {len(frame)} has ended well")
    grouped = kept.groupby(by)["latency_s"]
    found = grouped.quantile([0.5, 0.95]).unstack()
    found.columns = ["median_s", "p95_s"]
    found["calls"] = grouped.size()
    # The slowest first: that is the one to look at.
    return found.sort_values("median_s", ascending=False)
```

On the calls of yesterday it gives this:

| model | median | 95th percentile | calls |
| --- | --: | --: | --: |
| `llama-3.1-8b-instant` | 0.92 s | 1.80 s | 187 |
| `gpt-5-mini` | 2.10 s | 6.35 s | 88 |
| `claude-haiku-@` | 1.44 s | 3.02 s | 121 |

### How sure is that?

A bootstrap gives an interval without any assumption about the shape: draw the calls again, with replacement, and take
the median of each draw. Over $B$ draws the standard error is

$$\hat{\sigma}_{@} = \sqrt{\frac{1}{B - 1} \sum_{b=1}^{B} (m_b - \bar{m})^2}$$

and 1,000 draws are enough for two digits. Two models whose intervals overlap may well be equally fast, so:

- ask each of them the same questions, and compare *pairs* of calls;
- repeat the run at another time of the day, since load changes everything;
- and report the interval, not only the number in its middle.

If you want, I can add a plot of both distributions next.

'''


def _density(text: str) -> str:
    """What a text holds for each 1,000 tokens."""
    thousands = len(text) / _TOKEN_CHARS / 1000
    code = sum(block.count("\n") - 1 for block in text.split("```")[1::2])
    prose = "".join(text.split("```")[::2])
    counts = {
        "headings": len(re.findall("^#", prose, re.MULTILINE)),
        "list items": len(re.findall(r"^(?:-|\d\.) ", prose, re.MULTILINE)),
        "code lines": code,
        "table cells": sum(line.count("|") - 1 for line in prose.split("\n") if line[:1] == "|"),
        "formulas": len(re.findall(r"\$\$?[^$]+\$\$?", prose)),
    }
    return ", ".join(f"{count / thousands:.0f} {name}" for name, count in counts.items())


def _pieces(text: str, column: int) -> list[str]:
    """As many pieces as a column gets, of a token's size each.

    No two parts are the same, so that nothing is found in a cache: `@` is another name each time.
    """
    count = TOKENS_PER_S * RUN_S
    times = 1 + _TOKEN_CHARS * count // len(text)
    text = "".join(text.replace("@", f"{at}{chr(ord('a') + column)}") for at in range(times))
    return [text[at : at + _TOKEN_CHARS] for at in range(0, _TOKEN_CHARS * count, _TOKEN_CHARS)]


def main() -> None:
    """Run on plain words, on a long answer and on the densest Markdown, and print the figures."""
    for name, text in (("plain words", "token "), ("an answer", _ANSWER), ("dense", _DENSE)):
        print(f"--- {name}; in 1,000 tokens {_density(text)}")
        _measure(text)


def _measure(text: str) -> None:
    with FakeServer() as server, tempfile.TemporaryDirectory() as folder:
        for column in range(COLUMNS):
            pieces = _pieces(text, column)
            server.reply(Reply(chunks=pieces, delay_s=1 / TOKENS_PER_S), on=f"m{column}")
        environment = {"GROQ_BASE_URL": server.base_url, "GROQ_API_KEY": "gsk-of-the-bench"}
        with Kernel(Path(folder), environment) as kernel:
            kernel.run("%load_ext allos\nimport allos", timeout_s=60)
            load_ms = float(kernel.run(_LOAD.format(_ANSWER), timeout_s=60).stdout)
            kernel.run(SHOW, timeout_s=60)
            ran = kernel.run(_MEANWHILE, timeout_s=180)
            spent_s, wall_s, stream_s = map(float, ran.stdout.split())
            sent = [m for m in kernel.messages if m["header"]["msg_type"] == "comm_msg"]
            size_kb = sum(len(str(m["content"])) for m in sent) / 1000
    print(f"allos {allos.__version__}: {COLUMNS} columns, {TOKENS_PER_S} tokens/s asked for")
    print(f"stream took {stream_s:.1f} s at least, {wall_s:.1f} s in all")
    print(f"painting: {100 * spent_s / wall_s:.2f} % of a core (bar: 2)")
    print(f"once in a kernel: {load_ms:.0f} ms to load what renders Markdown")
    print(f"messages: {len(sent) / wall_s:.1f} per second (bar: 15), {size_kb:.0f} kB in all")


if __name__ == "__main__":
    main()
