"""Tool calls, and every way in which servers were seen to cut them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from hypothesis import strategies as st

NAMES = ("get", "get_weather", "haha", "add")
"""Of the tools; one is the beginning of another, one is the same piece twice."""

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2)
    ),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(st.sampled_from(["a", "b", "path"]), _VALUES, max_size=3)


@dataclass(frozen=True)
class Wanted:
    """A call as the model made it."""

    name: str
    arguments: dict[str, Any]


WANTED = st.lists(
    st.builds(Wanted, name=st.sampled_from(NAMES), arguments=ARGUMENTS),
    min_size=1,
    max_size=3,
    # Equal calls in a row can be one call that is sent twice.
    unique_by=lambda call: (call.name, json.dumps(call.arguments, sort_keys=True)),
)


@st.composite
def cut(draw: st.DrawFn, text: str, *, least: int = 1) -> list[str]:
    """A text in pieces, none of them empty."""
    most = max(len(text) - 1, 0)
    places = draw(st.sets(st.integers(1, most), max_size=4)) if most else set()
    while len(places) + 1 < min(least, len(text)):
        places.add(next(n for n in range(1, len(text)) if n not in places))
    ends = [0, *sorted(places), len(text)]
    return [text[a:b] for a, b in pairwise(ends)]


@dataclass(frozen=True)
class Style:
    """How a server of Chat Completions cuts calls."""

    index: Literal["right", "from 1", "text", "equal", "missing", "counts pieces"]
    id: Literal["first", "every", "new each", "none", "one for all"]
    name: Literal["first", "every", "pieces", "alone"]
    arguments: Literal["pieces", "whole", "object", "repeated", "cumulative", "placeholder"]
    in_turns: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether the pieces say to whom they belong; others could be read in two ways."""
        is_numbered = self.index in ("right", "from 1", "text")
        repeats_name = self.name == "every"
        in_one_piece = self.arguments in ("whole", "object", "placeholder")
        return not any(
            [
                self.in_turns and not (is_numbered and self.id in ("first", "every")),
                self.index == "counts pieces" and self.name not in ("first", "alone"),
                self.arguments == "cumulative" and not is_numbered,
                self.id == "one for all" and not is_numbered and (repeats_name or in_one_piece),
                # Complete arguments that come again under a name are another call.
                repeats_name and self.arguments in ("repeated", "placeholder"),
            ]
        )


STYLES = st.builds(
    Style,
    index=st.sampled_from(["right", "from 1", "text", "equal", "missing", "counts pieces"]),
    id=st.sampled_from(["first", "every", "new each", "none", "one for all"]),
    name=st.sampled_from(["first", "every", "pieces", "alone"]),
    arguments=st.sampled_from(
        ["pieces", "whole", "object", "repeated", "cumulative", "placeholder"]
    ),
    in_turns=st.booleans(),
).filter(lambda style: style.is_clear)


@st.composite
def chat_pieces(draw: st.DrawFn, calls: list[Wanted], style: Style) -> list[dict[str, Any]]:
    """Entries of `tool_calls`, one for each chunk."""
    of_calls = [draw(_pieces_of(call, style)) for call in calls]
    rows = [(at, piece) for at, pieces in enumerate(of_calls) for piece in pieces]
    if style.in_turns:
        queues = [list(pieces) for pieces in of_calls]
        rows = []
        while any(queues):
            for at, queue in enumerate(queues):
                if queue:
                    rows.append((at, queue.pop(0)))
    begun: set[int] = set()
    entries = []
    for number, (at, piece) in enumerate(rows):
        is_first = at not in begun
        begun.add(at)
        entry: dict[str, Any] = {"type": "function", "function": piece}
        entry |= _index(style, at, number)
        entry |= _id(style, at, number, is_first=is_first)
        entries.append(entry)
    return entries


def _index(style: Style, at: int, number: int) -> dict[str, Any]:
    if style.index == "missing":
        return {}
    found: dict[str, Any] = {
        "right": at,
        "from 1": at + 1,
        "text": str(at),
        "equal": 0,
        "counts pieces": number,
    }
    return {"index": found[style.index]}


def _id(style: Style, at: int, number: int, *, is_first: bool) -> dict[str, Any]:
    if style.id == "none" or (style.id == "first" and not is_first):
        return {"id": None}
    if style.id == "new each":
        return {"id": f"id_{number}"}
    return {"id": "same" if style.id == "one for all" else f"call_{at}"}


@st.composite
def _pieces_of(draw: st.DrawFn, call: Wanted, style: Style) -> list[dict[str, Any]]:
    text = json.dumps(call.arguments, ensure_ascii=False)
    arguments: list[Any]
    if style.arguments == "object":
        arguments = [call.arguments]
    elif style.arguments == "whole":
        arguments = [text]
    elif style.arguments == "placeholder":
        arguments = ["{}", *draw(cut(text))] if call.arguments else ["{}"]
    else:
        arguments = draw(cut(text, least=2))
    if style.arguments == "repeated":
        arguments.append(text)
    if style.arguments == "cumulative":
        arguments = ["".join(arguments[: n + 1]) for n in range(len(arguments))]
    names = draw(cut(call.name)) if style.name == "pieces" else [call.name]
    opening: list[dict[str, Any]] = []
    if style.name in ("pieces", "alone"):
        opening = [{"name": name, "arguments": ""} for name in names]
    pieces = [*opening, *({"arguments": each} for each in arguments)]
    if style.name == "every":
        return [{"name": call.name, **piece} for piece in pieces]
    if not opening:
        pieces[0] = {"name": call.name, **pieces[0]}
    empty = draw(st.sampled_from([{}, {"name": ""}, {"name": None}]))
    return [{**({} if "name" in piece else empty), **piece} for piece in pieces]
