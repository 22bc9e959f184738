"""What a live board costs its kernel: eight columns at 200 tokens/s for ten seconds, while a cell runs.

Bars: at most 2 % of a core for painting, at most 15 comm messages a second. The way from the message to
the screen is the browser's and not measured here. What a kernel loads once, when the first answer holds
Markdown, is a figure of its own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import allos
from tests.perf._board import COLUMNS, RUN_S, SHOW, TOKENS_PER_S
from tests.support.fake_server import FakeServer, Reply
from tests.support.jupyter import Kernel

_LOAD = r"""
import time
began = time.thread_time()
from allos.render.markdown import markdown_html
markdown_html("`a` $x$\n\n$$\\frac{a}{b}$$\n\n```python\nx = 1\n```")
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


# What models write: headings, lists, code, a table, formulas. 120 words, in pieces of a token's size; no two
# the same, so that nothing is found in a cache.
_MARKDOWN = r"""## A step further

Some **words** about `time_to_first_token_s`, and why $t_0 \le t_1$ holds for every answer that streams.

1. Load the rows, and keep those that were **streamed**.
2. Drop the ones without a first token:
   they were answered whole.
3. Group by model, and take the median.

```python
df = allos.responses(since="1d")
streamed = df.dropna(subset=["time_to_first_token_s"])
print(streamed.groupby("model")["latency_s"].median())
```

| model | latency | tokens |
| --- | --: | --: |
| `llama-3.1-8b-instant` | 0.92 s | 187 |
| `gpt-5-mini` | 2.10 s | 88 |

$$\bar{t} = \frac{1}{n} \sum_{i=1}^{n} t_i$$

"""


def _pieces(text: str, column: int) -> list[str]:
    """As many pieces as a column gets, of six characters each."""
    size, count = 6, TOKENS_PER_S * RUN_S
    times = 1 + size * count // len(text)
    text = "".join(
        text.replace("t_0", f"t_{{{at}}}^{{{column}}}").replace(
            r"\bar{t}", rf"\bar{{t}}_{{{at},{column}}}"
        )
        for at in range(times)
    )
    return [text[at : at + size] for at in range(0, size * count, size)]


def main() -> None:
    """Run on plain words and on Markdown, and print the figures."""
    for name, text in (("plain words", "token "), ("Markdown", _MARKDOWN)):
        print(f"--- {name}")
        _measure(text)


def _measure(text: str) -> None:
    with FakeServer() as server, tempfile.TemporaryDirectory() as folder:
        for column in range(COLUMNS):
            pieces = _pieces(text, column)
            server.reply(Reply(chunks=pieces, delay_s=1 / TOKENS_PER_S), on=f"m{column}")
        environment = {"GROQ_BASE_URL": server.base_url, "GROQ_API_KEY": "gsk-of-the-bench"}
        with Kernel(Path(folder), environment) as kernel:
            kernel.run("%load_ext allos\nimport allos", timeout_s=60)
            load_ms = float(kernel.run(_LOAD, timeout_s=60).stdout)
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
