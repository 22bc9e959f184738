"""Who is compared: letter, colour and the parameters that set a column apart.

The static table, its text twin and the live board take them from here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Protocol
from zlib import crc32

from allos.messages import Message
from allos.response import ProviderResponse

COLOURS = 10
"""How many colour classes there are, ``allos-c0`` to ``allos-c9``."""
MAX_PARAM_CHARS = 40

# Parameters whose values may be shown. Of any other, only numbers: `headers`, `api_key` or a
# `base_url` with a password in it would be printed into the notebook.
_SHOWN = frozenset(
    {"temperature", "top_p", "max_tokens", "stop", "seed", "presence_penalty", "frequency_penalty"}
).union({"logprobs", "top_logprobs", "logit_bias", "effort", "api"})


class ColumnLike(Protocol):
    """What is shown of a column."""

    @property
    def index(self) -> int:
        """Its place, from 0."""

    @property
    def name(self) -> str:
        """``provider/model``."""

    @property
    def params(self) -> Mapping[str, Any]:
        """Its parameters."""


class CellLike(Protocol):
    """What is shown of a call."""

    @property
    def column(self) -> ColumnLike:
        """Its column."""

    @property
    def sample_index(self) -> int:
        """Which repeat it is, from 0."""

    @property
    def state(self) -> str:
        """``queued running waiting ok error cancelled``."""

    @property
    def text(self) -> str:
        """The text so far."""

    @property
    def response(self) -> ProviderResponse | None:
        """The response, once it is there."""

    @property
    def attempt(self) -> Mapping[str, Any] | None:
        """The failed attempt that will be repeated."""


class ComparisonLike(Protocol):
    """What is shown of a comparison."""

    @property
    def id(self) -> str:
        """``cmp_`` and a ULID."""

    @property
    def messages(self) -> Sequence[Message]:
        """What every model was asked."""

    @property
    def columns(self) -> Sequence[ColumnLike]:
        """One for each model and set of parameters."""

    @property
    def cells(self) -> Sequence[CellLike]:
        """All calls."""

    @property
    def n(self) -> int:
        """Repeats of every column."""


def root_class(comparison_id: str) -> str:
    """Class by which the live board finds the table of its comparison, and hides it.

    Examples
    --------
    >>> root_class("cmp_01KAN3")
    'allos-cmp-cmp_01kan3'
    """
    return f"allos-cmp-{re.sub('[^0-9a-z_]', '', comparison_id.lower())}"


def key_letter(index: int) -> str:
    """Letter of a column, from A; after Z comes AA.

    Examples
    --------
    >>> [key_letter(index) for index in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def colour_slots(names: Sequence[str]) -> list[int]:
    """Colour of each column, 0 to 9: the same for the same model, in any comparison if it is free.

    Parameters
    ----------
    names : sequence of str
        ``provider/model``, column by column. A name added at the end leaves the others their colour.

    Examples
    --------
    >>> slots = colour_slots(["groq/a", "openai/b", "groq/a"])
    >>> slots[0] == slots[2] != slots[1]
    True
    """
    slots: dict[str, int] = {}
    for name in names:
        if name not in slots:
            taken = list(slots.values())
            least = min(taken.count(slot) for slot in range(COLOURS))
            start = crc32(name.encode("utf-8", "surrogatepass"))
            slots[name] = next(
                slot
                for slot in ((start + step) % COLOURS for step in count())
                if taken.count(slot) == least
            )
    return [slots[name] for name in names]


def shared_params(columns: Sequence[ColumnLike]) -> list[str]:
    """Parameters that all columns have alike, as short labels such as ``temperature 0.2``."""
    labels = [_param_labels(column.params) for column in columns]
    first = labels[0] if labels else {}
    return [label for name, label in first.items() if label != name and _is_shared(name, labels)]


def differing_params(columns: Sequence[ColumnLike]) -> list[list[str]]:
    """For each column the parameters that set it apart, as short labels.

    Only values of the vocabulary and numbers are shown; of anything else (`headers`, `base_url`,
    `api_key` ...) the name alone.
    """
    labels = [_param_labels(column.params) for column in columns]
    return [
        [label for name, label in of_column.items() if not _is_shared(name, labels)]
        for of_column in labels
    ]


# --- pieces --------------------------------------------------------------------------------------


def _param_labels(params: Mapping[str, Any]) -> dict[str, str]:
    """Label of each parameter that is set; the bare name where the value is not to be shown."""
    extra = params.get("extra")
    flat = {**params, **extra} if isinstance(extra, Mapping) else params
    labels = {}
    for name, value in flat.items():
        if value is None or value is extra:
            continue
        if name in _SHOWN or isinstance(value, (int, float)):
            labels[name] = f"{name} {_param_value(value)}"
        else:
            labels[name] = name
    return labels


def _param_value(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[\w.-]+", value):
        text = value
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (TypeError, ValueError):  # odd keys, a circle: its call fails, the table must not
            text = type(value).__name__
    return text if len(text) <= MAX_PARAM_CHARS else f"{text[: MAX_PARAM_CHARS - 1]}…"


def _is_shared(name: str, labels: Sequence[Mapping[str, str]]) -> bool:
    return len({of_column.get(name) for of_column in labels}) == 1
