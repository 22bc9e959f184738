"""Labels and figures in a chart: untrusted text made safe, short and distinct."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from allos.render.plain import clean_text, shorten

LABEL_CHARS = 60
AXIS_CHARS = 42
"""What an axis has room for, see `allos.charts.theme.LABEL_PX`."""
WHOLE = 2_000
"""Characters that tell two values apart."""
_FEWEST_OF_NAME = 12
_OF_OBJECTS = frozenset(
    {"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"}
    | {"toString", "valueOf", "__proto__", "__defineGetter__", "__defineSetter__"}
    | {"__lookupGetter__", "__lookupSetter__"}
)
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def drawable(text: str) -> str:
    """Text without characters that a terminal would act on, or that XML does not have.

    vl-convert ends the whole process when it meets one of the latter (1.9, U+FFFE).
    """
    return _NOT_XML.sub("\ufffd", clean_text(text))


def label(value: Any, chars: int = LABEL_CHARS) -> str:
    """One line of text of a value; several values together are joined."""
    if isinstance(value, tuple):
        return _shorten(" / ".join(label(each, WHOLE) for each in value), chars)
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return "none"
    text = _shorten(" ".join(drawable(str(value)).split()), chars) or "(empty)"
    # Vega looks names up in JavaScript objects, which have these already.
    return f"{text}\xa0" if text in _OF_OBJECTS else text


def _shorten(text: str, chars: int) -> str:
    """Short text; of a model with its setting the name gives way, so that two settings do not look alike.

    Examples
    --------
    >>> _shorten("local/a-model-with-a-long-name (temperature 0.5)", 32)
    'local/a…g-name (temperature 0.5)'
    """
    name, is_setting, setting = text.partition(" (")
    room = chars - len(setting) - len(" (")
    if len(text) <= chars or not is_setting or not text.endswith(")") or room < _FEWEST_OF_NAME:
        return shorten(text, chars)
    first = room // 2
    return f"{name[:first]}…{name[first + 1 - room :]} ({setting}"


def labels(values: Iterable[Any], chars: int = LABEL_CHARS) -> list[str]:
    """One label for each value; those that would look the same get a number.

    Examples
    --------
    >>> labels(["gpt", "gpt ", None])
    ['gpt', 'gpt (2)', 'none']
    """
    found: list[str] = []
    taken: set[str] = set()
    for value in values:
        text = first = label(value, chars)
        number = 1
        while text in taken:
            number += 1
            text = f"{first} ({number})"
        taken.add(text)
        found.append(text)
    return found


def row_labels(frame: pd.DataFrame, names: Sequence[Any]) -> list[str]:
    """One label for each row, of these columns, for an axis."""
    if not names:
        return labels(["all"] * len(frame))
    if len(names) == 1:
        return labels(frame[names[0]].tolist(), AXIS_CHARS)
    return labels(frame[list(names)].itertuples(index=False, name=None), AXIS_CHARS)


def columns_before(frame: pd.DataFrame, name: str) -> list[Any]:
    """Columns that a result was grouped by: those before its own first one."""
    columns = list(frame.columns)
    return columns[: columns.index(name)]


def finite(value: Any) -> float | None:
    """Return a number that can be drawn; None for null and infinity."""
    if value is None or value is pd.NA:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def figure(value: float | None, style: str = "") -> str:
    """Number for reading: ``"%"`` a share, ``"$"`` US dollars, ``"s"`` seconds, ``"+"`` a difference."""
    if value is None:
        return "unknown"
    if style == "%":
        return f"{value:.0%}"
    if style == "$":
        return f"${value:.3g}" if 0 < abs(value) < 1 else f"${value:,.2f}"
    if style == "+":
        return f"{value:+.2g}".replace("-", "−")
    unit = " s" if style == "s" else ""
    if abs(value) >= 100:
        return f"{value:,.0f}{unit}"
    return f"{value:.3g}{unit}"
