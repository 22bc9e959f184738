"""Provenance of a call: session, notebook, cell, comparison, tags.

The context is a ContextVar, so it is also available on the loop thread: asyncio copies the caller's
context when a callback is scheduled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Provenance of one call; every field is None or empty when unknown."""

    session_id: str | None = None
    """ULID of the kernel or script run."""
    notebook: str | None = None
    """File name of the notebook."""
    cell_id: str | None = None
    """The cell's id in the notebook file."""
    execution_count: int | None = None
    """The number in ``In [n]``."""
    comparison_id: str | None = None
    """Shared by all calls of one comparison."""
    run_id: str | None = None
    """Shared by all calls of one batch or sweep."""
    task_key: str | None = None
    """Names the call within its comparison or batch: equal for the same row, model, parameters and sample."""
    sample_index: int | None = None
    """Index of the repetition, from 0, when a call is made n times."""
    repeat: int | None = None
    """Index among equal calls of all columns of a comparison; None: `sample_index`."""
    conversation_id: str | None = None
    """Shared by all turns of one conversation."""
    conversation: str | None = None
    """Name of the conversation."""
    parent_id: str | None = None
    """Response that this call follows up (tool loop, conversation)."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of the template's expressions, by expression."""
    tags: tuple[str, ...] = ()
    """Tags of the row of the log."""
    logged: bool = True
    """Whether the call becomes a row of the log."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Custom metadata of the user, JSON-serializable."""


_EMPTY = RunContext()
_current: ContextVar[RunContext] = ContextVar("allos_run_context", default=_EMPTY)


def current() -> RunContext:
    """Context of the running call."""
    return _current.get()


def set_origin(**origin: Any) -> None:
    """Replace the context by one with only these fields of `RunContext`."""
    _current.set(RunContext(**origin))


@contextmanager
def using(**changes: Any) -> Iterator[RunContext]:
    """Run a block with some fields of the context replaced.

    Parameters
    ----------
    **changes
        Fields of `RunContext`.

    Examples
    --------
    >>> with using(tags=("demo",)):
    ...     current().tags
    ('demo',)
    """
    token = _current.set(replace(_current.get(), **changes))
    try:
        yield _current.get()
    finally:
        _current.reset(token)
