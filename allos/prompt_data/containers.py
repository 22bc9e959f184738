"""Lists, mappings and records that hold arrays and tables, as text."""

from __future__ import annotations

import dataclasses
from collections import UserList, deque
from collections.abc import AsyncIterator, Iterator, Mapping, Set, ValuesView
from types import SimpleNamespace
from typing import Any

from allos.errors import ConfigurationError
from allos.prompt_data.arrays import nested_list
from allos.prompt_data.objects import PLAIN_SCALARS, is_object_array, writer_of
from allos.prompt_data.text import BUDGET_TOKENS, DataText, value_text

_LEAST_TOKENS = 50
"""Of each of many objects in one container."""
_LISTS = frozenset({list, tuple, set, frozenset, deque})
_LIBRARIES = frozenset({"pandas", "polars", "pyarrow", "xarray", "dask"})
"""Their other objects (groups, windows, queries) have no text that says anything."""


def data_text(value: Any, budget_tokens: int = BUDGET_TOKENS) -> DataText | None:
    """Return the text of an array, a table, or a container that holds some; None: `str` says all.

    Parameters
    ----------
    value : object
    budget_tokens : int
        About how many tokens the data may use, counted as four characters each.

    Raises
    ------
    ConfigurationError
        An iterator, whose values are not known before it is read; or a container that contains itself.

    Examples
    --------
    >>> import numpy
    >>> data_text({"x": numpy.arange(4), "unit": "m"}).text
    "{'x': [0, 1, 2, 3], 'unit': 'm'}"
    >>> data_text([1, 2]) is None
    True
    """
    writer = writer_of(value)
    if writer is not None:
        return writer(value, budget_tokens)
    count = _count_data(value, ())
    if not count:
        return None
    container = _ContainerText(max(_LEAST_TOKENS, budget_tokens // count))
    text = container.text(value, "")
    return DataText("\n\n".join([text, *container.blocks]), inner=tuple(container.inner))


def json_value(value: Any, budget_tokens: int = BUDGET_TOKENS) -> Any:
    """Return an array that fits as nested lists, other data as its text, anything else as it is.

    Examples
    --------
    >>> import numpy
    >>> json_value(numpy.arange(3)), json_value({"a": 1})
    ([0, 1, 2], {'a': 1})
    """
    writer = writer_of(value)
    if writer is None:
        return value
    data = writer(value, budget_tokens)
    is_list = not data.left_out and "\n" not in data.text and hasattr(value, "__array__")
    return nested_list(value) if is_list else data.text


class _ContainerText:
    """Writes a container as Python does, and its tables below it."""

    def __init__(self, budget_tokens: int) -> None:
        self._budget_tokens = budget_tokens
        self.blocks: list[str] = []
        self.inner: list[tuple[str, tuple[str, ...]]] = []

    def text(self, value: Any, path: str) -> str:
        """Return one line; `path` is how the value is reached from the container."""
        writer = writer_of(value)
        if writer is not None:
            written = writer(value, self._budget_tokens)
            self.inner.append((path, written.left_out))
            if "\n" not in written.text:
                return written.text
            self.blocks.append(f"{path}:\n{written.text}")
            return f"<{path}, below>"
        items = _items(value)
        if items is None:
            return value_text(value)
        texts = [(name, self.text(item, f"{path}{step}")) for step, name, item in items]
        if isinstance(value, Mapping):
            return f"{{{', '.join(f'{name}: {text}' for name, text in texts)}}}"
        joined = ", ".join(f"{name}={text}" if name else text for name, text in texts)
        if isinstance(value, list | deque | UserList | ValuesView) or is_object_array(value):
            return f"[{joined}]"
        if isinstance(value, Set):
            return f"{{{joined}}}"
        if type(value) is tuple:
            return f"({joined},)" if len(texts) == 1 else f"({joined})"
        return f"{type(value).__name__}({joined})"


def _count_data(value: Any, above: tuple[int, ...]) -> int:
    """Return how many arrays and tables a value contains."""
    if writer_of(value) is not None:
        return 1
    if isinstance(value, Iterator | AsyncIterator):
        raise ConfigurationError(
            f"expected data, got {type(value).__name__}, which has to be read first: "
            "pass list(...) of it"
        )
    if id(value) in above:
        raise ConfigurationError(
            f"expected data, got a {type(value).__name__} that contains itself"
        )
    if type(value) in _LISTS and PLAIN_SCALARS.issuperset(map(type, value)):
        return 0  # however long
    items = _items(value)
    if not items:
        if type(value).__module__.partition(".")[0] in _LIBRARIES and " object at 0x" in str(value):
            raise ConfigurationError(
                f"expected data, got {type(value).__name__}, which shows none: pass a table made of it"
            )
        return 0
    keys = value.keys() if isinstance(value, Mapping) else ()
    below = (*above, id(value))
    return sum(_count_data(item, below) for item in (*keys, *(item for _, _, item in items)))


def _items(value: Any) -> list[tuple[str, str, Any]] | None:
    """Return the path, name and value of each item of a container; None for anything else."""
    if isinstance(value, str | bytes | bytearray | type):
        return None
    if isinstance(value, Mapping):
        named = ((value_text(key), item) for key, item in value.items())
        return [(f"[{name}]", name, item) for name, item in named]
    names = _field_names(value)
    if names is not None:
        return [(f".{name}", name, getattr(value, name)) for name in names]
    if isinstance(value, list | tuple | deque | UserList | Set | ValuesView):
        return [(f"[{at}]", "", item) for at, item in enumerate(value)]
    if is_object_array(value):
        return _items(value.tolist())
    return None


def _field_names(value: Any) -> list[str] | None:
    """Return the fields that a record shows: of a dataclass, attrs, pydantic, a named tuple."""
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        # Only where the class has no text of its own.
        is_generated = hasattr(kind.__repr__, "__wrapped__") and kind.__str__ is object.__str__
        return (
            [each.name for each in dataclasses.fields(kind) if each.repr] if is_generated else None
        )
    if isinstance(value, SimpleNamespace):
        return list(vars(value))
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return list(kind._fields)
    if hasattr(kind, "__attrs_attrs__"):
        return [each.name for each in kind.__attrs_attrs__ if each.repr]
    if hasattr(kind, "model_fields") and hasattr(kind, "model_dump"):
        return [name for name, each in kind.model_fields.items() if getattr(each, "repr", True)]
    return None
