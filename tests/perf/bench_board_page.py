"""What a board costs the page: 10,000 answers opened and scrolled, and differences of long texts.

Bars, on a quiet machine: 10,000 answers are on the screen within 0.5 s, the 99th percentile of the frames
while they scroll is at most 33 ms; eight answers of 4,000 tokens are compared in 50 ms; neither that nor a hostile pair of
100,000 characters blocks the page for more than 100 ms; a vote is on the screen within 50 ms and in the
log within 100 ms.

Run: .venv/bin/python -m tests.perf.bench_board_page
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from time import perf_counter

from playwright.sync_api import BrowserContext, sync_playwright

from allos.render.comparison_view import CellView, ColumnView, ComparisonView, PromptView, RowView
from allos.response import ProviderResponse
from allos.runs.board_messages.updates import BoardUpdates
from allos.runs.finished import FinishedComparison
from tests.support import find_chromium
from tests.support.board_page import BoardPage, shown
from tests.support.jupyter.lab import _CHROMIUM_ARGUMENTS
from tests.support.voted import compared

ROWS, COLUMNS = 2_500, 4
TOKENS = 4_000
WORDS = [f"word{number}" for number in range(3_000)]

_SCROLL = """async () => {
    const box = document.querySelector(".scroller");
    const frames = [];
    let last = performance.now();
    for (let step = 0; step < 240; step++) {
        box.scrollTop += 90;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - last);
        last = now;
    }
    frames.sort((a, b) => a - b);
    return [frames[frames.length >> 1], frames[Math.floor(frames.length * .99)], frames.at(-1)];
}"""
# A vote, and the frame that shows it.
_PRESS_TIE = """async () => {
    const button = [...document.querySelectorAll(".choices .btn")][1];
    const began = performance.now();
    button.click();
    while (button.ariaPressed !== "true") await new Promise(requestAnimationFrame);
    return performance.now() - began;
}"""
_VOTES = 20
# The time until all counts are there, and until nothing more is marked.
_COMPARE = """async () => {
    const marks = () => document.querySelectorAll("del.gone").length
        + (CSS.highlights.get("allos-new")?.size ?? 0);
    const began = performance.now();
    document.querySelector(".diff .btn").click();
    const isDone = () => [...document.querySelectorAll(".differs")].slice(1)
        .every((each) => each.textContent);
    while (!isDone()) await new Promise((resume) => setTimeout(resume, 2));
    const compared = performance.now();
    let [last, count, quiet] = [compared, marks(), 0];
    while (quiet < 4) {
        await new Promise(requestAnimationFrame);
        await new Promise((resume) => setTimeout(resume));
        const now = marks();
        quiet = now === count ? quiet + 1 : 0;
        if (now !== count) [last, count] = [performance.now(), now];
    }
    return [compared - began, last - began];
}"""
# Looks every few milliseconds whether the page is free; the longest gap is the longest block.
_WATCH = """() => {
    window.longest_ms = 0;
    let last = performance.now();
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
        const now = performance.now();
        window.longest_ms = Math.max(window.longest_ms, now - last);
        last = now;
        setTimeout(() => channel.port2.postMessage(0), 2);
    };
    channel.port2.postMessage(0);
}"""


def _board(texts: list[list[str]]) -> FinishedComparison:
    """Rows of answers, each with one for each column."""
    facts = {"provider": "groq", "status": "ok", "latency_s": 1.0, "cost_usd": 0.001}
    cells = tuple(
        CellView(
            column=column,
            row=row,
            state="ok",
            response=ProviderResponse(texts[row][column], metadata=facts),
        )
        for column in range(len(texts[0]))
        for row in range(len(texts))
    )
    rows = tuple(
        RowView(index=at, prompt=PromptView(text=f"Question {at}"), values={"q": f"Question {at}"})
        for at in range(len(texts))
    )
    columns = tuple(ColumnView(index=at, name=f"groq/m{at}") for at in range(len(texts[0])))
    return FinishedComparison(
        ComparisonView(
            id="cmp_1",
            prompt=PromptView(text="{{ q }}"),
            columns=columns,
            cells=cells,
            rows=rows if len(rows) > 1 else (),
        )
    )


def _prose(words: int, seed: int) -> str:
    chosen = random.Random(seed).choices(WORDS, k=words)
    return " ".join(word + ("." if at % 12 == 11 else "") for at, word in enumerate(chosen))


def _open(context: BrowserContext) -> None:
    source = _board(
        [
            [f"Answer {row}.{c}: **{_prose(40, row)}**" for c in range(COLUMNS)]
            for row in range(ROWS)
        ]
    )
    began = perf_counter()
    prepared = json.dumps(BoardUpdates(source).snapshot())
    print(f"{ROWS * COLUMNS:,} answers: message of {len(prepared) / 1e6:.1f} MB")
    print(f"kernel: {perf_counter() - began:.2f} s")
    page = BoardPage(context, source)
    print(f"page: {page.opened_s:.2f} s to the first paint (bar: 0.5)")
    page.page.wait_for_timeout(300)
    page.flush()
    page.page.wait_for_timeout(300)
    median_ms, p99_ms, most_ms = page.page.evaluate(_SCROLL)
    print(f"scrolling: median {median_ms:.0f}, p99 {p99_ms:.0f} (bar: 33), most {most_ms:.0f} ms")
    page.page.close()


def _compare(context: BrowserContext, name: str, texts: list[str], bar: str) -> None:
    with shown(context, _board([texts])) as page:
        page.page.evaluate(_WATCH)
        page.page.wait_for_timeout(200)
        page.page.evaluate("() => { window.longest_ms = 0; }")
        compared_ms, drawn_ms = page.page.evaluate(_COMPARE)
        blocked_ms = page.page.evaluate("() => window.longest_ms")
        print(
            f"{name}: compared in {compared_ms:.0f} ms, drawn after {drawn_ms:.0f} ms, "
            f"longest block {blocked_ms:.0f} ms ({bar})"
        )


def _vote(context: BrowserContext, folder: Path) -> None:
    prompts = [f"Question {at}" for at in range(_VOTES)]
    with (
        compared(folder / "log.sqlite", prompts=prompts, blind=True) as comparison,
        shown(context, comparison) as page,
    ):
        page.page.wait_for_selector(".choices")
        shown_ms = []
        for _ in range(comparison.voting().count):
            shown_ms.append(page.page.evaluate(_PRESS_TIE))
            page.flush()
        logged_ms = page.acted_ms
        for name, times, bar in (("screen", shown_ms, 50), ("log", logged_ms, 100)):
            median_ms = sorted(times)[len(times) // 2]
            print(f"vote: on the {name} {median_ms:.0f} ms, most {max(times):.0f} (bar: {bar})")


def main() -> None:
    """Run all of it and print the figures."""
    base = _prose(TOKENS, 1).split(" ")
    edited = [
        " ".join(
            f"new{at}" if random.Random(at + seed).random() < 0.05 else word
            for at, word in enumerate(base)
        )
        for seed in range(7)
    ]
    hostile = {
        "repeated words": ["a b " * 25_000, "b a " * 25_000],
        "no blanks": ["x" * 100_000, "y" * 100_000],
        "brackets": ["(" * 100_000, ")" * 100_000],
        "Chinese": ["重力是" * 33_000, "力重" * 50_000],
        "lines": ["a\n" * 50_000, "b\n" * 50_000],
    }
    with (
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
    ):
        chromium = find_chromium.find()
        context = playwright.chromium.launch_persistent_context(
            folder, executable_path=chromium, args=list(_CHROMIUM_ARGUMENTS)
        )
        _open(context)
        _compare(
            context,
            f"8 answers of {TOKENS:,} tokens",
            [" ".join(base), *edited],
            "bars: 50 and 100",
        )
        for name, pair in hostile.items():
            _compare(context, f"hostile, {name}", pair, "bar: 100")
        _vote(context, Path(folder))
        context.close()


if __name__ == "__main__":
    main()
