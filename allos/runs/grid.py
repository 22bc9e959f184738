"""Which calls a run makes: prompts x models x parameters x rows x repeats, one `Task` at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from allos import template
from allos.errors import ConfigurationError, TemplateError, did_you_mean
from allos.messages import Message, MessageRole
from allos.prompt_data import data_text
from allos.providers import Provider
from allos.providers.catalog import services
from allos.runs.task import Task, split_plain
from allos.secret import seal_secrets
from allos.session import EMBEDDED_MODEL
from allos.template import Piece
from allos.tools.schemas import as_schema

Model = str | Provider | Mapping[str, Any]
"""A name, a provider object, or a mapping of ``model`` and parameters for it alone."""

_SUBSTITUTED = (MessageRole.SYSTEM, MessageRole.USER)
"""Whose texts the user wrote; an assistant's turn may hold a model's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One model with one set of parameters. May hold keys, so it never leaves its process."""

    index: int
    model: str | Provider
    params: Mapping[str, Any]
    duplicate_index: int = 0
    """How many columns before it ask the same."""

    @property
    def name(self) -> str:
        """``provider/model``."""
        if isinstance(self.model, Provider):
            return f"{self.model.name}/{self.model.model}"
        return self.model


@runtime_checkable
class TableRows(Protocol):
    """Rows that all have the same names."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the columns."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int) -> Mapping[str, Any]: ...


class Grid:
    """The calls of a run. Tasks are made when they are asked for, so that size costs nothing.

    Parameters
    ----------
    prompts : sequence of tuple of Message
        Conversations, each asked of every column.
    columns : sequence of Column
        Each model with each set of parameters, see `build_columns`.
    rows : sequence of mapping, TableRows or None
        Values by column name. ``{{ name }}`` in a text of a prompt stands for the row's value; only
        plain names of the data are substituted, nothing is evaluated. None: prompts as they are.
    n : int
        Repeats of every call.

    Raises
    ------
    TemplateError
        A prompt names what a row does not have.

    Examples
    --------
    >>> hello = (Message("user", "Hello in {{ language }}!"),)
    >>> columns = build_columns(["groq/a", "groq/b"], [{}], {})
    >>> grid = Grid([hello], columns, rows=[{"language": "Italian"}, {"language": "Thai"}], n=3)
    >>> len(grid), [task.key for task in grid][:4]
    (12, ['p0-r0-c0-s0', 'p0-r0-c0-s1', 'p0-r0-c0-s2', 'p0-r1-c0-s0'])
    """

    def __init__(
        self,
        prompts: Sequence[tuple[Message, ...]],
        columns: Sequence[Column],
        *,
        rows: Sequence[Mapping[str, Any]] | TableRows | None = None,
        n: int = 1,
    ) -> None:
        if not _is_count(n):
            raise ConfigurationError(f"n must be an integer >= 1, got {n!r}")
        self.prompts = tuple(prompts)
        self.columns = _numbered(columns)
        self.rows = rows
        self.n = n
        self._plain_params = [_plain_params(column) for column in self.columns]
        # Parsed once, not for every row.
        self._templates = [_Template(prompt) for prompt in prompts] if rows is not None else []
        # All rows of a table have the same names.
        checked = [dict.fromkeys(rows.names)] if isinstance(rows, TableRows) else rows
        for row in checked or ():
            for each in self._templates:
                each.check(row)

    @property
    def inputs(self) -> int:
        """How many conversations every column is asked: each prompt with each row."""
        return len(self.prompts) * (1 if self.rows is None else len(self.rows))

    def __len__(self) -> int:
        return len(self.columns) * self.inputs * self.n

    def __iter__(self) -> Iterator[Task]:
        """All tasks: column by column, the repeats of an input one after the other."""
        for column in self.columns:
            yield from self.tasks_of(column)

    def tasks_of(self, column: Column) -> Iterator[Task]:
        """Tasks of one column, in order."""
        rows = 1 if self.rows is None else len(self.rows)
        for prompt in range(len(self.prompts)):
            for row in range(rows):
                for sample in range(self.n):
                    yield self.task(column, prompt=prompt, row=row, sample=sample)

    def task(
        self, column: Column, *, prompt: int = 0, row: int = 0, sample: int, key: str | None = None
    ) -> Task:
        """One task, with a key of its own where one is given."""
        params, withheld = self._plain_params[column.index]
        messages, variables = self._filled(prompt, row)
        return Task(
            key=key or f"p{prompt}-r{row}-c{column.index}-s{sample}",
            prompt=prompt,
            row=row,
            column=column.index,
            sample=sample,
            repeat=sample + column.duplicate_index * self.n,
            messages=messages,
            model=column.name,
            params=params,
            withheld=withheld,
            variables=variables,
        )

    def filled(self) -> Iterator[tuple[int, int, tuple[Message, ...], Mapping[str, str]]]:
        """Of each input: index of the prompt and of the row, the messages, and what was put into them."""
        for prompt in range(len(self.prompts)):
            for row in range(1 if self.rows is None else len(self.rows)):
                yield prompt, row, *self._filled(prompt, row)

    def _filled(self, prompt: int, row: int) -> tuple[tuple[Message, ...], Mapping[str, str]]:
        """The messages of one row, and what was put into them."""
        if self.rows is None:
            return self.prompts[prompt], {}
        return self._templates[prompt].fill(self.rows[row])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the data's columns that the prompts use, in the order of their first use."""
        return tuple(dict.fromkeys(name for each in self._templates for name in each.names))

    @property
    def texts(self) -> tuple[str, ...]:
        """Texts of the prompts into which the data's columns may be put."""
        return tuple(dict.fromkeys(text for each in self._templates for text in each.texts))

    def with_column(self, model: str | Provider, params: Mapping[str, Any]) -> Grid:
        """Return the grid with one more column at its end."""
        added = build_column(len(self.columns), model, params)
        return Grid(self.prompts, (*self.columns, added), rows=self.rows, n=self.n)


def build_columns(
    models: Any, params: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]
) -> list[Column]:
    """Columns of a grid: each model with each set of parameters, which wins over the shared ones.

    A model's own parameters win over both.

    Raises
    ------
    ConfigurationError
        No model, or an unknown provider; nothing was sent.
    """
    pairs = [
        (model, {**shared, **chosen, **own})
        for model, own in map(_with_own_params, normalize_models(models))
        for chosen in params
    ]
    return [build_column(index, model, chosen) for index, (model, chosen) in enumerate(pairs)]


def _with_own_params(model: Model) -> tuple[str | Provider, dict[str, Any]]:
    """A model, and the parameters that are for it alone."""
    if not isinstance(model, Mapping):
        return model, {}
    own = dict(model)
    seal_secrets(own)
    name = own.pop("model", None)
    if name is None or not all(isinstance(each, str) for each in own):
        raise ConfigurationError(
            "a model with parameters of its own is a dict with 'model': "
            "{'model': 'provider/model', 'temperature': 0}"
        )
    return name, own


def build_column(index: int, model: str | Provider, params: Mapping[str, Any]) -> Column:
    """Return a column; an unknown provider or a wrong schema is an error before anything is sent."""
    as_schema(params.get("schema"))
    if isinstance(model, str):
        service, model_name = services.resolve_model_name(model)
        if model_name is None:
            if not service.embedded:
                raise ConfigurationError(f"{model!r} names no model: write {service.name}/MODEL.")
            model = EMBEDDED_MODEL
    elif not isinstance(model, Provider):
        raise ConfigurationError(
            "models must be 'provider/model' names and provider objects, "
            f"got {type(model).__name__}"
        )
    return Column(index=index, model=model, params=dict(params))


def normalize_models(models: Any) -> list[Model]:
    """The models of a run as a list; a single one needs none."""
    if isinstance(models, (str, Provider)):
        return [models]
    if isinstance(models, bytes | Mapping) or not isinstance(models, Iterable | None):
        raise ConfigurationError(
            "models must be a list of 'provider/model' names and provider objects, "
            f"got {models!r:.80}"
        )
    listed = list(models or ())
    if not listed:
        raise ConfigurationError(
            "models must name at least one model: models=['provider/model', ...]. Nothing was sent."
        )
    return listed


def normalize_params(params: Any) -> list[dict[str, Any]]:
    """Sets of parameters, with their keys seal_secrets; one empty set where there are none."""
    listed = [params] if isinstance(params, Mapping) else params
    if isinstance(listed, str) or not isinstance(listed, Iterable | None):
        raise _not_params(listed)
    sets: list[dict[str, Any]] = []
    for each in listed or [{}]:
        if not isinstance(each, Mapping) or not all(isinstance(name, str) for name in each):
            raise _not_params(each)
        sets.append(dict(each))
    for each in sets:
        seal_secrets(each)
    return sets


def _not_params(value: object) -> ConfigurationError:
    return ConfigurationError(
        "params must be a list of dicts such as [{'temperature': 0}, {'temperature': 1}], "
        f"got {value!r:.80}"
    )


def _plain_params(column: Column) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    params, withheld = split_plain(column.params)
    return params, (("model", *withheld) if isinstance(column.model, Provider) else withheld)


def _numbered(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Count equal columns, so that each has recorded answers of its own."""
    by_name: dict[str, list[Column]] = {}
    numbered = []
    for column in columns:
        before = by_name.setdefault(column.name, [])
        equal = sum(other.params == column.params for other in before)
        before.append(column)
        numbered.append(replace(column, duplicate_index=equal))
    return tuple(numbered)


class _Template:
    """A prompt whose ``{{ name }}`` stand for values of a row."""

    def __init__(self, prompt: Sequence[Message]) -> None:
        self._messages = tuple(prompt)
        self._parsed = {
            text: template.parse(text)
            for message in prompt
            if message.role in _SUBSTITUTED
            for text in _texts(message)
        }

    @property
    def texts(self) -> Iterable[str]:
        """Texts that may name columns."""
        return self._parsed

    @property
    def names(self) -> list[str]:
        """Names that it uses."""
        pieces = [piece for parsed in self._parsed.values() for piece in parsed]
        return [piece.source for piece in pieces if not isinstance(piece, str)]

    def check(self, row: Mapping[str, Any]) -> None:
        for pieces in self._parsed.values():
            for piece in pieces:
                if not isinstance(piece, str) and piece.source not in row:
                    near = did_you_mean(piece.source, map(str, row))
                    raise TemplateError(
                        f"{{{{ {piece.source} }}}} is not a column of the data.{near} "
                        "Nothing was sent."
                    )

    def fill(self, row: Mapping[str, Any]) -> tuple[tuple[Message, ...], dict[str, str]]:
        """The messages of one row, and the values that were put in, by name."""
        used: dict[str, str] = {}

        def value_of(piece: Piece) -> str:
            if isinstance(piece, str):
                return piece
            return used.setdefault(piece.source, _value_text(piece.source, row[piece.source]))

        def filled(text: str) -> str:
            return "".join(map(value_of, self._parsed[text]))

        messages = []
        for message in self._messages:
            if message.role in _SUBSTITUTED and isinstance(message.content, str):
                message = replace(message, content=filled(message.content))
            elif message.role in _SUBSTITUTED and message.content is not None:
                parts = [
                    filled(part) if isinstance(part, str) else part for part in message.content
                ]
                message = replace(message, content=parts)
            messages.append(message)
        return tuple(messages), used


def _value_text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        data = data_text(value)
    except ConfigurationError as exc:
        raise TemplateError(f"{{{{ {name} }}}}: {exc}. Nothing was sent.") from None
    return str(value) if data is None else data.text


def _texts(message: Message) -> list[str]:
    content = message.content
    if isinstance(content, str):
        return [content]
    return [part for part in content or () if isinstance(part, str)]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
