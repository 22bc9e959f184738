"""The arguments of `allos.responses`, checked and turned into a `Where`."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol, get_args, runtime_checkable

from allos.errors import ConfigurationError, did_you_mean
from allos.log.columns import FRAME_NAMES, NAMES
from allos.log.moments import micros_of
from allos.log.store.protocol import Where
from allos.response import Status


@runtime_checkable
class NamedModel(Protocol):
    """A provider object, of which only the names matter."""

    @property
    def name(self) -> str:
        """Name of the service."""

    model: str


def build_where(
    filters: dict[str, Any],
    *,
    now: datetime,
    model: Any = None,
    since: Any = None,
    until: Any = None,
    tags: Any = None,
    text: Any = None,
) -> Where:
    """Condition that all the filters together express.

    Parameters
    ----------
    filters : dict
        Wanted value or values by column; None does not filter.
    now : datetime
        What ages like ``"1h"`` are subtracted from.
    model : str, provider object, iterable of those, or None
        Model as requested, with or without its provider.
    since, until : str, datetime, date, timedelta, datetime64, timedelta64 or None
        Bounds of `created_at`: `since` is included, `until` is not.
    tags : str, iterable of str or None
        Rows with any of these tags.
    text : str, iterable of str or None
        Rows whose prompt or content contains any of these strings.

    Raises
    ------
    ConfigurationError
        A value is not valid.
    """
    any_of = {
        name: _strings(name, wanted) for name, wanted in filters.items() if wanted is not None
    }
    _check_statuses(any_of.get("status", ()))
    return Where(
        any_of=any_of,
        models=None if model is None else _strings("model", _model_names(model)),
        since=None if since is None else micros_of("since", since, now),
        until=None if until is None else micros_of("until", until, now),
        tags=None if tags is None else _strings("tags", tags),
        texts=None if text is None else _strings("text", text),
    )


def check_columns(columns: Iterable[str] | str | None) -> tuple[str, ...]:
    """Columns of the frame: all, or the given ones in the given order.

    Raises
    ------
    ConfigurationError
        The log has no such column.
    """
    if columns is None:
        return FRAME_NAMES
    if not isinstance(columns, Iterable):
        raise ConfigurationError(
            f"columns= must be the name of a column or a list of names, got {columns!r}"
        )
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    for name in names:
        if name not in NAMES:
            raise ConfigurationError(
                f"the log has no column {name!r}.{did_you_mean(str(name), NAMES)} "
                "All columns: allos.log.columns.NAMES"
            )
    return tuple(dict.fromkeys(names))


def reject_unnamed(values: Sequence[Any], known: Collection[str]) -> None:
    """Raise for a value that was passed without the name of its filter."""
    if values:
        raise ConfigurationError(
            f"responses() needs the name of each filter, as in provider='groq', got {values[0]!r:.80}. "
            f"Valid filters: {', '.join(known)}"
        )


def reject_unknown(unknown: Iterable[str], known: Collection[str]) -> None:
    """Raise for the first unknown filter, with the closest known one."""
    for name in unknown:
        raise ConfigurationError(
            f"responses() has no filter {name!r}.{did_you_mean(name, known)} "
            f"Valid filters: {', '.join(known)}"
        )


def check_limit(limit: Any) -> int | None:
    """Return `limit` as a number of rows, numpy's integers too; raise for anything else."""
    if limit is None:
        return None
    if type(limit).__name__ not in ("bool", "bool_"):  # numpy's has either name
        with suppress(TypeError):
            rows = operator.index(limit)
            if 0 <= rows < 2**63:
                return rows
    raise ConfigurationError(f"limit= must be an integer >= 0, got {limit!r}")


def _strings(name: str, wanted: Any) -> tuple[str, ...]:
    values = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(values, Iterable) or isinstance(values, bytes):
        raise ConfigurationError(f"{name}= must be a string or a list of strings, got {wanted!r}")
    values = tuple(values)
    for value in values:
        if not isinstance(value, str):
            raise ConfigurationError(
                f"{name}= must be a string or a list of strings, got {value!r}"
            )
    return values


def _model_names(wanted: Any) -> Any:
    """Return the wanted models with provider objects replaced by ``provider/model``."""
    if isinstance(wanted, NamedModel):
        return f"{wanted.name}/{wanted.model}"
    if isinstance(wanted, str | bytes) or not isinstance(wanted, Iterable):
        return wanted
    return [_model_names(each) for each in wanted]


def _check_statuses(values: Iterable[str]) -> None:
    known = get_args(Status)
    for value in values:
        if value not in known:
            raise ConfigurationError(
                f"status= must be one of {', '.join(known)}, got {value!r}."
                f"{did_you_mean(value, known)}"
            )


def utc_now() -> datetime:
    """Current time, UTC."""
    return datetime.now(UTC)
