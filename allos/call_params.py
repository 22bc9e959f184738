"""Parameters of calls as short labels, and what tells calls of one model apart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

MAX_PARAM_CHARS = 40

PARAM_COLUMNS = ("temperature", "top_p", "max_tokens", "seed")
"""Parameters with a column of their own in the log; its column `params` holds the others."""

# Parameters whose values may be shown. Of any other only numbers are: `headers`, `api_key` or a
# `base_url` with a password in it would be saved in the notebook.
_SHOWN = frozenset(
    {*PARAM_COLUMNS, "stop", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"}
).union({"logit_bias", "effort", "api"})


def params_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that were sent, from a row of the log or the metadata of a response.

    Examples
    --------
    >>> params_of({"temperature": 0.2, "params": '{"stop": ["END"]}'})
    {'temperature': 0.2, 'stop': ['END']}
    """
    known = {name: value for name in PARAM_COLUMNS if (value := row.get(name)) is not None}
    others = row.get("params")
    return {**known, **((json.loads(others) if isinstance(others, str) else others) or {})}


def param_values(params: Mapping[str, Any]) -> dict[str, str | None]:
    """Value of each parameter that is set, as a short text; None where it must not be shown.

    Examples
    --------
    >>> param_values({"temperature": 0.0, "headers": {"authorization": "..."}, "seed": None})
    {'temperature': '0', 'headers': None}
    """
    extra = params.get("extra")
    flat = {**params, **extra} if isinstance(extra, Mapping) else params
    return {
        name: _param_value(value) if name in _SHOWN or isinstance(value, (int, float)) else None
        for name, value in flat.items()
        if value is not None and value is not extra
    }


def shared_labels(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Parameters that are the same in all columns, as short labels such as ``temperature 0.2``."""
    labels = [_param_labels(params) for params in columns]
    first = labels[0] if labels else {}
    return [label for name, label in first.items() if label != name and _is_shared(name, labels)]


def differing_labels(columns: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Parameters that are not the same in all columns, as short labels, column by column.

    Only numbers and values of well-known parameters are shown; of anything else (`headers`,
    `base_url`, `api_key` ...) the name alone.

    Examples
    --------
    >>> differing_labels([{"temperature": 0, "seed": 1}, {"temperature": 0.5, "seed": 1}])
    [['temperature 0'], ['temperature 0.5']]
    """
    labels = [_param_labels(params) for params in columns]
    return [
        [label for name, label in of_column.items() if not _is_shared(name, labels)]
        for of_column in labels
    ]


def setting_labels(
    names: Sequence[str],
    params: Sequence[Mapping[str, Any]],
    others: Sequence[Sequence[str]] | None = None,
) -> list[str]:
    """Name of each setting: its model, and the parameters that tell settings of this model apart.

    Parameters
    ----------
    names : sequence of str
        ``provider/model`` of each setting.
    params : sequence of mapping
        Its parameters.
    others : sequence of sequence of str, optional
        What else tells it apart, as short labels.

    Returns
    -------
    list of str
        All different: where nothing that may be shown tells two apart they are numbered.

    Examples
    --------
    >>> setting_labels(["groq/a", "groq/a", "groq/b"], [{"seed": 1}, {"seed": 2}, {"seed": 3}])
    ['groq/a (seed 1)', 'groq/a (seed 2)', 'groq/b']
    >>> setting_labels(["groq/a", "groq/a"], [{}, {}])
    ['groq/a #1', 'groq/a #2']
    """
    apart: list[list[str]] = [list(labels) for labels in others or [()] * len(names)]
    for name in set(names):
        places = [at for at, each in enumerate(names) if each == name]
        for at, labels in zip(places, differing_labels([params[at] for at in places]), strict=True):
            apart[at] += labels
    found = [
        f"{name} ({', '.join(labels)})" if labels else name
        for name, labels in zip(names, apart, strict=True)
    ]
    return [
        f"{label} #{found[:at].count(label) + 1}" if found.count(label) > 1 else label
        for at, label in enumerate(found)
    ]


def _param_labels(params: Mapping[str, Any]) -> dict[str, str]:
    """Label of each parameter that is set; the bare name where the value must not be shown."""
    values = param_values(params)
    return {name: name if value is None else f"{name} {value}" for name, value in values.items()}


def _param_value(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # the log keeps a temperature of 0 as 0.0
    if isinstance(value, str) and re.fullmatch(r"[\w.-]+", value):
        text = value
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (
            TypeError,
            ValueError,
        ):  # unhashable keys, a cycle: the call fails, the table must not
            text = type(value).__name__
    return text if len(text) <= MAX_PARAM_CHARS else f"{text[: MAX_PARAM_CHARS - 1]}…"


def _is_shared(name: str, labels: Sequence[Mapping[str, str]]) -> bool:
    return len({of_column.get(name) for of_column in labels}) == 1
