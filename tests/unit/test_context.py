from __future__ import annotations

import asyncio
import dataclasses
import threading

import pytest

from allos.context import RunContext, current, using


def test_using_nests() -> None:
    """A block replaces some fields and keeps the others; after it all is as before."""
    before = current()
    with using(tags=("a",), cell_id="c"):
        with using(tags=("b",)) as inner:
            assert inner is current()
            assert (inner.tags, inner.cell_id) == (("b",), "c")
        assert current().tags == ("a",)

    assert current() is before


def test_errors_restore() -> None:
    """An error in the block restores the former context."""

    before = current()

    def fail() -> None:
        with using(notebook="n"):
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert current() is before


def test_empty() -> None:
    """A fresh context knows nothing, but that its calls are logged."""
    known = {name: value for name, value in dataclasses.asdict(RunContext()).items() if value}

    assert known == {"logged": True}


def test_unknown_field() -> None:
    """A field that does not exist is refused."""
    with pytest.raises(TypeError), using(nope=1):
        pass


def test_frozen() -> None:
    """A context is a value."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        current().cell_id = "x"  # type: ignore[misc]


def test_tasks_and_threads() -> None:
    """A task takes the context along; another thread begins with an empty one."""
    seen: list[str | None] = []

    async def read() -> str | None:
        return current().cell_id

    with using(cell_id="c"):
        inside = asyncio.run(read())
        thread = threading.Thread(target=lambda: seen.append(current().cell_id))
        thread.start()
        thread.join()

    assert inside == "c"
    assert seen == [None]
