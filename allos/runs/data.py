"""Prompts of a run, and rows of the data that is put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from allos.errors import ConfigurationError
from allos.messages import Prompt


def given_prompts(prompt: Prompt | None, prompts: Sequence[Prompt] | None) -> Sequence[Prompt]:
    """The one prompt, or the several ones.

    Raises
    ------
    ConfigurationError
        Neither or both are given, or no list; nothing was sent.
    """
    if prompts is None:
        if prompt is not None:
            return [prompt]
    elif prompt is None:
        if isinstance(prompts, str | bytes | Mapping) or not isinstance(prompts, Sequence):
            raise ConfigurationError(
                f"prompts must be a list of prompts, got {prompts!r:.80}. Nothing was sent."
            )
        if not prompts:
            raise ConfigurationError("prompts is empty. Nothing was sent.")
        return prompts
    given = "not both" if prompt is not None else "got neither"
    raise ConfigurationError(f"Give either a prompt or prompts=[...], {given}. Nothing was sent.")


def data_rows(data: Any) -> list[Mapping[str, Any]] | None:
    """Rows of a DataFrame (pandas, polars), or of a sequence of mappings; None for None.

    Raises
    ------
    ConfigurationError
        It is something else, or has no rows; nothing was sent.

    Examples
    --------
    >>> data_rows([{"language": "Thai"}])
    [{'language': 'Thai'}]
    """
    if data is None:
        return None
    rows: Any = data
    if hasattr(data, "to_dicts"):  # polars
        rows = data.to_dicts()
    elif hasattr(data, "columns") and hasattr(data, "to_dict"):
        rows = data.to_dict("records")
    if isinstance(rows, str | bytes) or not isinstance(rows, Sequence):
        raise ConfigurationError(
            "data must be a DataFrame or a list of dicts with a value for each column, "
            f"got {data!r:.80}. Nothing was sent."
        )
    for row in rows:
        if not isinstance(row, Mapping):
            raise ConfigurationError(
                f"each row of data must be a dict, got {row!r:.80}. Nothing was sent."
            )
    if not rows:
        raise ConfigurationError("data has no rows. Nothing was sent.")
    return [{str(name): value for name, value in row.items()} for row in rows]
