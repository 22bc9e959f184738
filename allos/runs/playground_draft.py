"""What a playground's fields hold, as typed, and what is wrong with it.

All of it may come from a page, so any value is accepted: what cannot be meant is dropped, long texts
are cut, and everything else is a problem of its field.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeGuard, get_args

from allos import template
from allos.errors import ConfigurationError, TemplateError, did_you_mean
from allos.wire.parameters import EFFORTS, VOCABULARY, checked

MAX_CHARS = 1_000_000
"""Of a prompt."""
MAX_MODELS = 64
_MAX_FIELD_CHARS = 1_000

Which = Literal["all", "first", "sample", "row"]
"""Which rows of the data: all, the first ones, some at random, or one by its number."""

Kind = Literal["number", "integer", "text", "choice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterField:
    """One parameter that can be set."""

    name: str
    kind: Kind
    help: str
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Its name in words."""
        return self.name.replace("_", " ")


_KINDS: dict[str, tuple[Kind, tuple[str, ...]]] = {
    "temperature": ("number", ()),
    "max_tokens": ("integer", ()),
    "effort": ("choice", EFFORTS),
    "top_p": ("number", ()),
    "seed": ("integer", ()),
    "stop": ("text", ()),
    "presence_penalty": ("number", ()),
    "frequency_penalty": ("number", ()),
}
PARAMETER_FIELDS = {
    name: ParameterField(name=name, kind=kind, help=VOCABULARY[name], choices=choices)
    for name, (kind, choices) in _KINDS.items()
}
"""Parameters that a playground offers, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftModel:
    """A model, and parameters for it alone."""

    name: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The fields of a playground, as they were typed."""

    prompt: str = ""
    system: str = ""
    models: tuple[DraftModel, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    """For all models."""
    n: str = "1"
    """Repeats."""
    which: Which = "all"
    count: str = "5"
    """Number of rows, or the number of one row, from 1."""

    @classmethod
    def from_page(cls, value: Any) -> Draft:
        """What a page has sent.

        Examples
        --------
        >>> Draft.from_page({"prompt": "Hi", "models": [{"name": "local/smollm2"}, 7]}).models
        (DraftModel(name='local/smollm2', params={}),)
        """
        found = value if isinstance(value, Mapping) else {}
        listed = found.get("models")
        which = found.get("which")
        return cls(
            prompt=_text(found.get("prompt"), MAX_CHARS),
            system=_text(found.get("system"), MAX_CHARS),
            models=tuple(
                DraftModel(
                    name=_text(each.get("name"), _MAX_FIELD_CHARS),
                    params=_params(each.get("params")),
                )
                for each in (listed if isinstance(listed, list) else [])[:MAX_MODELS]
                if isinstance(each, Mapping) and _text(each.get("name"), 1)
            ),
            params=_params(found.get("params")),
            n=_text(found.get("n", "1"), _MAX_FIELD_CHARS),
            which=which if _is_which(which) else "all",
            count=_text(found.get("count", "5"), _MAX_FIELD_CHARS),
        )

    def to_page(self) -> dict[str, Any]:
        """As `from_page` reads it."""
        return {
            "prompt": self.prompt,
            "system": self.system,
            "models": [{"name": each.name, "params": dict(each.params)} for each in self.models],
            "params": dict(self.params),
            "n": self.n,
            "which": self.which,
            "count": self.count,
        }


def _is_which(value: Any) -> TypeGuard[Which]:
    return isinstance(value, str) and value in get_args(Which)


def _text(value: Any, most: int) -> str:
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    # Half of a surrogate pair can neither be logged nor sent.
    return text[:most].encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _params(value: Any) -> dict[str, str]:
    found = value if isinstance(value, Mapping) else {}
    return {
        name: _text(found[name], _MAX_FIELD_CHARS) for name in PARAMETER_FIELDS if name in found
    }


# ---- values ------------------------------------------------------------------------------------


def parameter_value(name: str, text: str) -> Any:
    """Value of a parameter as it was typed; None where nothing was.

    Raises
    ------
    ValueError
        It is not valid; says why in one line.

    Examples
    --------
    >>> parameter_value("temperature", "0.2"), parameter_value("max_tokens", "200")
    (0.2, 200)
    >>> parameter_value("top_p", "3")
    Traceback (most recent call last):
        ...
    ValueError: top_p must be a number from 0 to 1, not 3
    """
    text = text.strip() if PARAMETER_FIELDS[name].kind != "text" else text
    if not text:
        return None
    return checked(name, _as_number(text) if _is_number(name) else text)


def parameter_text(value: Any) -> str:
    """As a person would type a value."""
    return (
        value
        if isinstance(value, str)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def whole_number(name: str, text: str, *, most: int | None = None) -> int:
    """An integer from 1 on.

    Raises
    ------
    ValueError
        It is not valid; says why in one line.
    """
    number = _as_number(text.strip())
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{name} must be an integer >= 1, not {text.strip()!r:.60}")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {most:,}, not {number:,}")
    return number


def _is_number(name: str) -> bool:
    return PARAMETER_FIELDS[name].kind in ("number", "integer")


def _as_number(text: str) -> int | float | str:
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return text


# ---- names of columns --------------------------------------------------------------------------


def column_problem(text: str, columns: Sequence[str] | None) -> str | None:
    """Why a prompt cannot be filled in; None where it can. Nothing in it is evaluated.

    Parameters
    ----------
    text : str
        The prompt.
    columns : sequence of str or None
        Names that it may use; None: there is no data, and it is sent as it is.

    Examples
    --------
    >>> column_problem("Hi {{ nam }}", ["name"])
    "{{ nam }} is not a column of the data. Did you mean 'name'?"
    """
    if columns is None:
        return None
    try:
        names = column_names(text)
    except TemplateError as exc:
        return str(exc).removesuffix(" Nothing was sent.")
    missing = [name for name in names if name not in columns]
    if not missing:
        return None
    listed = ", ".join(f"{{{{ {name} }}}}" for name in missing)
    verb = "is not a column" if len(missing) == 1 else "are not columns"
    return f"{listed} {verb} of the data.{did_you_mean(missing[0], columns)}"


def column_names(text: str) -> list[str]:
    """Names between ``{{ }}``, each once."""
    pieces: Iterable[template.Piece] = template.parse(text)
    return list(dict.fromkeys(each.source for each in pieces if not isinstance(each, str)))


def checked_params(
    params: Mapping[str, str], where: str, problems: dict[str, str]
) -> dict[str, Any]:
    """Values of parameters; what is not valid is added to the problems, by ``where.name``."""
    values: dict[str, Any] = {}
    for name, text in params.items():
        try:
            value = parameter_value(name, text)
        except ValueError as exc:
            problems[f"{where}.{name}"] = f"{exc}."
        else:
            if value is not None:
                values[name] = value
    return values


def one_line(error: Exception) -> str:
    """An error as a line of the playground."""
    if isinstance(error, ConfigurationError | ValueError):
        return str(error)
    return f"{type(error).__name__}: {error}"
