"""How long a piece of text takes to the screen: eight columns at 200 tokens/s for ten seconds in a
real Chromium, while another cell computes and sleeps in turns.

Run: .venv/bin/python -m tests.perf.bench_screen

Every piece of text is the time at which the server wrote it, so each one is measured: from the socket
until the page has drawn the frame that shows it (a screen adds its own refresh). `newest` counts only
the last piece of each message: the way without the wait for the next flush.
Bars: p95 of every piece at most 120 ms, 15 comm messages a second, 2 % of a core for painting.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.perf._board import COLUMNS, RUN_S, SHOW, TOKENS_PER_S
from tests.perf._side_by_side import heading
from tests.support import find_chromium
from tests.support.jupyter import Lab, Notebook

A_LINE = 15
"""Pieces between two line ends."""

_BUSY = """
began = time.perf_counter()
while not c.done:
    until = time.perf_counter() + 0.03
    while time.perf_counter() < until:
        sum(range(1000))
    time.sleep(0.03)
c.wait(60)
time.sleep(0.3)
print(spent_s, time.perf_counter() - began, all(r.error is None for r in c.responses))
"""
# A piece is on the screen when the frame that holds it is drawn: a message posted by a frame's own
# callback is handled behind its layout and painting.
_PROBE = """([began_ms, digits]) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const found = window.allosFound = { every: [], newest: [], messages: 0, chars: 0 };
    kernel.anyMessage.connect((_, { msg, direction }) => {
        if (direction !== 'recv' || msg.header.msg_type !== 'comm_msg') return;
        found.messages += 1;
        found.chars += JSON.stringify(msg.content).length;
    });
    const columns = [...document.querySelectorAll('.allos-board section.col')].map(
        section => ({ text: section.querySelector('.text'), chars: 0, pieces: 0 }));
    const pattern = new RegExp(`\\\\d{${digits}}`, 'g');
    const changed = new Set();
    const drawn = new MessageChannel();
    drawn.port1.onmessage = () => {
        const now_ms = Date.now() - began_ms;
        for (const column of changed) {
            const plain = column.text.querySelector('.plain');
            const text = (plain ?? column.text).textContent;
            // At the end the rendered answer takes the text's place: there the pieces are counted.
            const fresh = plain
                ? text.slice(column.chars).match(pattern) ?? []
                : (text.match(pattern) ?? []).slice(column.pieces);
            if (plain) column.chars = text.length;
            column.pieces += fresh.length;
            const ages = fresh.map(piece => now_ms - Number(piece));
            found.every.push(...ages);
            if (ages.length) found.newest.push(ages.at(-1));
        }
        changed.clear();
    };
    for (const column of columns) {
        new MutationObserver(() => {
            if (!changed.size) requestAnimationFrame(() => drawn.port2.postMessage(0));
            changed.add(column);
        }).observe(column.text, { subtree: true, childList: true, characterData: true });
    }
}"""
_DIGITS = 6


class Stamps:
    """A loopback server that streams Chat Completions whose text is the time, in ms since `go`."""

    def __init__(self) -> None:
        self.began_ms = 0.0
        self._go = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._answer, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.base_url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def go(self) -> None:
        """Let every stream begin."""
        self._loop.call_soon_threadsafe(self._go.set)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        size = int(head.partition("content-length:")[2].split("\r\n")[0])
        model = json.loads(await reader.readexactly(size))["model"]
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        )
        await self._go.wait()
        began = self._loop.time()
        for number in range(TOKENS_PER_S * RUN_S):
            await asyncio.sleep(max(0, began + number / TOKENS_PER_S - self._loop.time()))
            stamp = f"{time.time() * 1000 - self.began_ms:0{_DIGITS}.0f} "
            if number % A_LINE == A_LINE - 1:
                stamp += "\n"
            writer.write(_event(model, {"content": stamp}, None))
        writer.write(_event(model, {}, "stop") + b"data: [DONE]\n\n")
        await writer.drain()
        writer.close()


def _event(model: str, delta: dict[str, str], finish: str | None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@contextmanager
def _notebook(chromium: str, base_url: str) -> Iterator[Notebook]:
    with (
        tempfile.TemporaryDirectory(prefix="allos-bench-", ignore_cleanup_errors=True) as folder,
        Lab(Path(folder), chromium) as lab,
    ):
        setting = {"GROQ_BASE_URL": base_url, "GROQ_API_KEY": "gsk-of-the-bench"}
        lab.write(
            "screen.ipynb",
            f"import os\nos.environ.update({setting!r})\n"
            "os.environ['ALLOS_LOG'] = 'log.sqlite'\n%load_ext allos\nimport allos",
            SHOW,
            _BUSY,
        )
        yield lab.open("screen.ipynb")


def _measure(notebook: Notebook, server: Stamps) -> tuple[dict[str, Any], str]:
    """What the page saw, and what the busy cell printed."""
    notebook.run_cell(0)
    notebook.run_cell(1)
    board = notebook.outputs(1).locator(".allos-board")
    board.locator("section.col").nth(COLUMNS - 1).wait_for()
    server.began_ms = time.time() * 1000
    notebook.page.evaluate(_PROBE, [server.began_ms, _DIGITS])
    notebook.run_cell(2, wait=False)
    server.go()
    notebook.wait_idle(180)
    printed = notebook.outputs(2).inner_text()
    return notebook.page.evaluate("() => window.allosFound"), printed


def _line(name: str, ages_ms: list[float]) -> str:
    hundredths = statistics.quantiles(ages_ms, n=100)
    return (
        f"{name}: p50 {hundredths[49]:.0f}, p95 {hundredths[94]:.0f}, max {max(ages_ms):.0f} ms"
        f" ({len(ages_ms)} samples)"
    )


def main() -> None:
    """Run once and print the figures."""
    chromium = find_chromium.find()
    if chromium is None:
        print(f"not measured: {find_chromium.why_not()}")
        return
    before = os.getloadavg()[0]
    with Stamps() as server, _notebook(chromium, server.base_url) as notebook:
        browser = notebook.page.evaluate("navigator.userAgent.match(/Chrome.[0-9.]+/)[0]")
        found, printed = _measure(notebook, server)
    spent_s, wall_s, fine = (json.loads(word.lower()) for word in printed.split())
    wanted = COLUMNS * TOKENS_PER_S * RUN_S
    assert fine, "an answer failed"
    assert len(found["every"]) == wanted, f"{len(found['every'])} pieces seen, {wanted} sent"
    print(f"{heading('allos-jupyter', 'ipykernel', 'jupyterlab', 'anywidget')}, {browser}")
    print(
        f"{os.cpu_count()} cores, load {before:.1f} before and {os.getloadavg()[0]:.1f} after;"
        f" {COLUMNS} columns, {TOKENS_PER_S} tokens/s each, {wall_s:.1f} s beside a busy cell"
    )
    print(f"text to screen, {_line('every piece', found['every'])} (bar: p95 at most 120)")
    print(f"text to screen, {_line('newest of a message', found['newest'])}")
    print(f"messages: {found['messages'] / wall_s:.1f} per second (bar: 15), ", end="")
    print(f"{found['chars'] / 1000:.0f} kB in all")
    print(f"painting: {100 * spent_s / wall_s:.2f} % of a core (bar: 2)")


if __name__ == "__main__":
    main()
