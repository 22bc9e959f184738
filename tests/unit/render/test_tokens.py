from __future__ import annotations

import re
from pathlib import Path

import pytest

import allos.notebook.board
from allos.render.comparison_columns import COLOURS as SLOTS
from allos.render.style import COMPARISON_CSS, CSS
from allos.render.tokens import COLOURS, SIZES, SLOT_COLOURS, declare

BOARD_CSS = Path(allos.notebook.board.__file__).with_name("static") / "board.css"


def _luminance(colour: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", SLOT_COLOURS)
def test_colour_of_a_model_is_seen_on_light_and_dark(colour: str) -> None:
    """A strip or a bar needs 3, https://www.w3.org/TR/WCAG22/#non-text-contrast."""
    assert _contrast(colour, "#ffffff") >= 3.4
    assert _contrast(colour, "#111111") >= 3.4


def test_every_class_of_a_column_has_a_colour() -> None:
    assert len(set(SLOT_COLOURS)) == SLOTS


def test_board_uses_only_what_is_declared() -> None:
    """A variable that nobody declares takes its rule away without a word."""
    sheet = BOARD_CSS.read_text("utf-8")
    used = set(re.findall(r"var\(--allos-([\w-]+)", sheet))
    declared = {*COLOURS, *SIZES, *re.findall(r"--allos-([\w-]+):", sheet), "slot"}

    assert used <= declared
    assert {"line", "muted", "small", "card"} <= used


def test_sheets_hold_values_and_no_placeholders() -> None:
    """What a saved notebook holds stands alone: a size is a size."""
    assert "$" not in CSS + COMPARISON_CSS
    assert f"font-size:{SIZES['small']}" in CSS
    assert declare("strong") in CSS


def test_colours_follow_the_text_that_is_named() -> None:
    """In an element with a colour of its own, `currentColor` would be that one."""
    assert declare("line") == "--allos-line:color-mix(in srgb,currentColor 14%,transparent);"
    assert declare("line", text="var(--x)") == (
        "--allos-line:color-mix(in srgb,var(--x) 14%,transparent);"
    )
    assert "currentColor" not in declare(text="var(--x)")
    assert declare().count("--allos-") == len(COLOURS) + len(SIZES)
