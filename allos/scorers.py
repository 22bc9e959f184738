"""Ready scorers: what `allos.score` and `allos.evaluate` give a row to, and get a number from.

A scorer is any function of a row (a mapping of the frame's columns) that returns a number, True or False,
or None where it cannot tell; it may be async. Those here compare the answer with a column of the data.

Examples
--------
>>> exact(target="label")({"content": " Billing ", "label": "billing"})
True
>>> numeric(target="total", within=0.5)({"content": "It is 12.4 kg.", "total": 12})
True
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

from allos.errors import ConfigurationError, did_you_mean

__all__ = [
    "Scorer",
    "as_scorer",
    "exact",
    "includes",
    "json_equal",
    "numeric",
    "one_of",
    "regex",
    "schema_valid",
    "similarity",
]

Row = Mapping[str, Any]

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?")
_VERSION_CHARS = 10
_MAX_NAME_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A function that scores rows, with a name and a version.

    Examples
    --------
    >>> def short(row):
    ...     return len(row["content"]) < 20
    >>> scorer = as_scorer(short)
    >>> scorer.name, scorer({"content": "Hi"})
    ('short', True)
    """

    name: str
    """Column of its scores."""
    version: str
    """Changes when what it does changes."""
    function: Callable[..., Any]
    """Takes a row; with `needs_target` also the expected value."""
    target: str | None = None
    """Column with the expected value; None: the `target` of the whole evaluation."""
    needs_target: bool = False

    def __call__(self, row: Row) -> Any:
        """Score of a row."""
        if not self.needs_target:
            return self.function(row)
        if self.target is None:
            raise ConfigurationError(
                f"The scorer {self.name!r} needs a column to compare with: target='column'."
            )
        return self.function(row, row[self.target])

    @property
    def is_async(self) -> bool:
        """Whether its scores are to be awaited."""
        call = getattr(self.function, "__call__", None)  # noqa: B004 - an object with an async call
        return inspect.iscoroutinefunction(self.function) or inspect.iscoroutinefunction(call)


def as_scorer(source: Any, *, target: str | None = None) -> Scorer:
    """Convert what `scorers=` may hold to a scorer.

    Parameters
    ----------
    source : Scorer, callable or str
        A function of a row, or the name of a ready scorer.
    target : str or None
        Column with the expected value, for a scorer without its own.

    Raises
    ------
    ConfigurationError
        It is none of these, does not take one argument, or needs a target.
    """
    if isinstance(source, str):
        ready = _READY.get(source)
        if ready is None:
            raise ConfigurationError(
                f"There is no scorer {source!r}.{did_you_mean(source, _READY)} "
                f"Ready ones: {', '.join(_READY)}."
            )
        source = ready()
    elif source in _NAMED.values():  # the function itself, as in scorers=[exact]
        source = source()
    if isinstance(source, Scorer):
        found = source
        if found.needs_target and found.target is None:
            found = replace(found, target=target)
        if found.needs_target and found.target is None:
            raise ConfigurationError(
                f"The scorer {found.name!r} needs a column to compare with: target='column'."
            )
        return found
    if not callable(source):
        raise ConfigurationError(
            f"A scorer must be a function of a row or the name of a ready one, got {source!r:.80}."
        )
    name = getattr(source, "__name__", type(source).__name__)
    if not _takes_one_argument(source):
        raise ConfigurationError(
            f"The scorer {name!r} must take one argument, the row: its columns are row['content'], "
            "row['status'] and those of the data."
        )
    return Scorer(
        name="scorer" if name == "<lambda>" else name, version=_version(source), function=source
    )


def _takes_one_argument(function: Callable[..., Any]) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of a function in C nothing is known
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


def _version(function: Any) -> str:
    """Hash of a function's source, or of its code where there is no source."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        text = (
            repr(code.co_code + repr(code.co_consts).encode())
            if code is not None
            else repr(function)
        )
    return hashlib.sha256(text.encode()).hexdigest()[:_VERSION_CHARS]


def _ready(
    kind: str, function: Callable[..., Any], target: str | None, name: str | None, **options: Any
) -> Scorer:
    given = json.dumps(options, sort_keys=True, default=repr)
    digest = hashlib.sha256(f"{kind} 1 {given}".encode()).hexdigest()[:_VERSION_CHARS]
    return Scorer(
        name=(name or kind)[:_MAX_NAME_CHARS],
        version=digest,
        function=function,
        target=target,
        needs_target=True,
    )


def exact(
    target: str | None = None, *, ignore_case: bool = True, name: str | None = None
) -> Scorer:
    """Whether the answer is the expected text, white space at its ends and a last full stop aside."""

    def compare(row: Row, expected: Any) -> bool:
        return _folded(_content(row), ignore_case) == _folded(_text(expected), ignore_case)

    return _ready("exact", compare, target, name, ignore_case=ignore_case)


def includes(
    target: str | None = None, *, ignore_case: bool = True, name: str | None = None
) -> Scorer:
    """Whether the answer includes the expected text, as whole words where it is one."""

    def compare(row: Row, expected: Any) -> bool:
        flags = re.IGNORECASE if ignore_case else 0
        wanted = re.escape(_text(expected).strip())
        return re.search(rf"(?<!\w){wanted}(?!\w)", _content(row), flags) is not None

    return _ready("includes", compare, target, name, ignore_case=ignore_case)


def regex(pattern: str, *, name: str | None = None) -> Scorer:
    """Whether a regular expression matches somewhere in the answer."""
    try:
        compiled = re.compile(pattern)
    except re.error as exc:
        raise ConfigurationError(f"{pattern!r} is not a valid regular expression: {exc}.") from None

    def compare(row: Row) -> bool:
        return compiled.search(_content(row)) is not None

    return replace(_ready("regex", compare, None, name, pattern=pattern), needs_target=False)


def numeric(target: str | None = None, *, within: float = 1e-9, name: str | None = None) -> Scorer:
    """Whether the last number of the answer is the expected one, give or take `within`."""

    def compare(row: Row, expected: Any) -> bool:
        found = [text for text in _NUMBER.findall(_content(row)) if any(c.isdigit() for c in text)]
        return bool(found) and abs(_as_number(found[-1]) - float(expected)) <= within

    return _ready("numeric", compare, target, name, within=within)


def json_equal(target: str | None = None, *, name: str | None = None) -> Scorer:
    """Whether the answer is the expected JSON value; the order of keys and white space do not count."""

    def compare(row: Row, expected: Any) -> bool:
        wanted = expected
        if isinstance(expected, str):
            with suppress(ValueError):
                wanted = json.loads(expected)
        try:
            return bool(json.loads(_unfenced(_content(row))) == wanted)
        except ValueError:
            return False

    return _ready("json_equal", compare, target, name)


def schema_valid(schema: Any, *, name: str | None = None) -> Scorer:
    """Whether the answer matches a schema, as in `allos.ask`."""
    from allos.tools.schemas import as_schema

    spec = as_schema(schema)
    if spec is None or spec.parse is None:
        raise ConfigurationError("schema_valid needs a schema.")
    parse = spec.parse

    def compare(row: Row) -> bool:
        try:
            parse(_content(row))
        except ValueError:
            return False
        return True

    made = _ready("schema_valid", compare, None, name, schema=dict(spec.schema))
    return replace(made, needs_target=False)


def one_of(options: Iterable[str], *, name: str | None = None) -> Scorer:
    """Whether the answer is one of the given texts, whatever their case."""
    wanted = [_folded(str(option), True) for option in options]

    def compare(row: Row) -> bool:
        return _folded(_content(row), True) in wanted

    return replace(_ready("one_of", compare, None, name, options=wanted), needs_target=False)


def similarity(target: str | None = None, *, name: str | None = None) -> Scorer:
    """How alike the answer and the expected text are, 0 to 1 (`difflib.SequenceMatcher.ratio`)."""

    def compare(row: Row, expected: Any) -> float:
        return SequenceMatcher(
            None, _folded(_content(row), True), _folded(_text(expected), True), autojunk=False
        ).ratio()

    return _ready("similarity", compare, target, name)


_NAMED: dict[str, Callable[..., Scorer]] = {
    "exact": exact,
    "includes": includes,
    "json_equal": json_equal,
    "numeric": numeric,
    "similarity": similarity,
}
_READY: dict[str, Callable[[], Scorer]] = dict(_NAMED)
"""Ready scorers that need no argument besides the target."""


def _content(row: Row) -> str:
    return _text(row.get("content"))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _folded(text: str, ignore_case: bool) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text.casefold() if ignore_case else text


def _as_number(text: str) -> float:
    return float(text.replace(",", ""))


def _unfenced(text: str) -> str:
    found = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n\s*```\s*", text, re.DOTALL)
    return found[1] if found else text
