"""`allos.playground`: edit a prompt, choose models, run, again and again. Plain Python, no notebook needed.

A `Playground` holds what was typed and the comparisons that were made of it, says what a run would cost
and what is wrong, and writes the code that does the same. A notebook shows it as a widget.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from allos import context
from allos.errors import AllosError, ConfigurationError, did_you_mean
from allos.options import CALL_OPTIONS, OVERRIDABLE_OPTIONS
from allos.providers import Provider
from allos.providers.model_choices import describe_model
from allos.providers.pricing.planned_requests import Preview
from allos.runs.compare import compare
from allos.runs.comparison import Comparison
from allos.runs.data import data_rows
from allos.runs.grid import Model
from allos.runs.playground_code import comparison_code, is_literal
from allos.runs.playground_data import (
    columns_of,
    is_table,
    kind_of,
    literal_rows,
    name_of,
    rows_source,
    take,
)
from allos.runs.playground_draft import (
    PARAMETER_FIELDS,
    Draft,
    DraftModel,
    checked_params,
    column_names,
    column_problem,
    one_line,
    parameter_text,
    whole_number,
)
from allos.session import current_session

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_ALL_ROWS = 20
"""Of larger data some rows are tried first, so that nobody pays for all of them by one press."""
_FIRST_ROWS = 5
_MAX_REPEATS = 1_000
_LITERAL_ROWS = 100
"""Data without a name is written out as long as it has no more rows."""


_NOT_HERE = dict.fromkeys(("api_key", "headers"), "pass a provider object in models") | {
    "refresh": "use allos.compare"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would send, and what is wrong. Nothing was sent."""

    problems: Mapping[str, str] = field(default_factory=dict)
    """By field: ``prompt``, ``system``, ``models``, ``models.0``, ``models.0.temperature``,
    ``params.seed``, ``n``, ``count``."""
    warnings: Mapping[str, str] = field(default_factory=dict)
    """The same, of what does not keep it from running."""
    preview: Preview | None = None
    """None where it cannot run."""
    budget_left_usd: float | None = None
    """None without a budget."""
    code: str = ""
    """The cell that does the same."""

    @property
    def can_run(self) -> bool:
        """Whether a run would start."""
        return self.preview is not None


class Playground:
    """A place to try prompts and models; made by `playground`.

    Attributes
    ----------
    draft : Draft
        What its fields hold.
    data : DataFrame, list of mappings or None
    data_name : str or None
        Variable that holds the data, for the code.
    comparisons : list of Comparison
        Of every run, in order.
    """

    def __init__(
        self,
        draft: Draft,
        *,
        data: Any = None,
        data_name: str | None = None,
        providers: Mapping[str, Provider] | None = None,
        shared: Mapping[str, Any] | None = None,
    ) -> None:
        self.draft = draft
        self.data = data
        self.data_name = data_name
        self.comparisons: list[Comparison] = []
        self._providers = dict(providers or {})
        self._shared = dict(shared or {})
        self._rows: tuple[tuple[str, int], list[Mapping[str, Any]] | None] | None = None
        self._context = contextvars.copy_context()
        self.columns = columns_of(data)
        """Names that ``{{ }}`` may use; None without data."""
        self.row_count = 0 if data is None else len(data)

    # ---- results --------------------------------------------------------------------------------

    @property
    def last(self) -> Comparison | None:
        """The newest comparison; None before the first run."""
        return self.comparisons[-1] if self.comparisons else None

    @property
    def frame(self) -> pd.DataFrame:
        """Responses of all runs: one row each, the log's columns. Waits for them."""
        from allos.log.frame import frame_of

        return frame_of([each for run in self.comparisons for each in run.responses])

    # ---- doing ----------------------------------------------------------------------------------

    def run(self) -> Comparison:
        """Start a comparison of what is typed; returns at once.

        Raises
        ------
        ConfigurationError
            Something is missing or not valid; nothing was sent.
        """
        return self.in_context(self._run)

    def _run(self) -> Comparison:
        self._rows = None  # the data may have changed since it was last looked at
        arguments, problems = self._arguments()
        if problems:
            raise ConfigurationError(f"{next(iter(problems.values()))} Nothing was sent.")
        comparison = compare(**arguments)
        self.comparisons.append(comparison)
        return comparison

    def plan(self) -> Plan:
        """What a run would send and cost, and what is wrong. Nothing is sent."""
        return self.in_context(self._plan)

    def _plan(self) -> Plan:
        from allos.runs.preview import preview

        arguments, problems = self._arguments()
        warnings = self._warnings()
        code = self._code(arguments)
        found: Preview | None = None
        if not problems:
            try:
                found = preview(**arguments)
            except (AllosError, ValueError, TypeError) as exc:
                problems = {"prompt": one_line(exc)}
        budgets = current_session().budgets.in_force()
        return Plan(
            problems=problems,
            warnings=warnings,
            preview=found,
            budget_left_usd=min((each.left_usd for each in budgets), default=None),
            code=code,
        )

    def as_code(self) -> str:
        """The cell that does the same as a run.

        Examples
        --------
        >>> print(playground(prompt="Hi", models=["local/smollm2"]).as_code())
        import allos
        <BLANKLINE>
        allos.compare(
            "Hi",
            models=["local/smollm2"],
        )
        """
        return self.in_context(lambda: self._code(self._arguments()[0]))

    def in_context(self, work: Callable[[], T]) -> T:
        """Run something in the session and for the cell that made the playground. Any thread."""
        return self._context.copy().run(work)

    # ---- inside ---------------------------------------------------------------------------------

    def _arguments(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Keywords of `compare`, and what is wrong with the fields."""
        draft, problems = self.draft, dict[str, str]()
        if not draft.prompt.strip():
            problems["prompt"] = "Write a prompt."
        for name, text in (("prompt", draft.prompt), ("system", draft.system)):
            problem = column_problem(text, self.columns)
            if problem is not None:
                problems[name] = problem
        models = [self._model(at, each, problems) for at, each in enumerate(draft.models)]
        if not models:
            problems["models"] = "Choose a model."
        shared = {**self._shared, **checked_params(draft.params, "params", problems)}
        arguments: dict[str, Any] = {"prompt": draft.prompt, "models": models}
        if draft.system.strip():
            arguments["system"] = draft.system
        arguments |= shared
        try:
            n = whole_number("repeats", draft.n, most=_MAX_REPEATS)
        except ValueError as exc:
            problems["n"] = f"{exc}."
        else:
            if n > 1:
                arguments["n"] = n
        if self.data is not None:
            try:
                arguments["data"] = self._chosen_rows()
            except (AllosError, ValueError) as exc:
                problems["count"] = f"{one_line(exc).rstrip('.')}."
        return arguments, problems

    def _model(self, at: int, model: DraftModel, problems: dict[str, str]) -> Model:
        params = checked_params(model.params, f"models.{at}", problems)
        known = self._providers.get(model.name)
        if known is None:
            try:
                describe_model(model.name)
            except ConfigurationError as exc:
                problems[f"models.{at}"] = str(exc)
        return {"model": known or model.name, **params} if params else known or model.name

    def _warnings(self) -> dict[str, str]:
        warnings: dict[str, str] = {}
        for at, model in enumerate(self.draft.models):
            if model.name in self._providers:
                continue
            try:
                choice = describe_model(model.name)
            except ConfigurationError:
                continue
            if choice.obstacle:
                warnings[f"models.{at}"] = f"{choice.obstacle.partition(':')[0]}. {choice.advice}"
        if self.columns is None and "{{" in self.draft.prompt + self.draft.system:
            warnings["prompt"] = "There is no data, so {{ }} is sent as it is."
        return warnings

    def _chosen_rows(self) -> list[Mapping[str, Any]] | None:
        """The rows that a run is about."""
        which, count = self.draft.which, self._count()
        if self._rows is None or self._rows[0] != (which, count):
            chosen = take(self.data, which, count)
            self._rows = ((which, count), data_rows(chosen))
        return self._rows[1]

    def _count(self) -> int:
        if self.draft.which == "all":
            return self.row_count
        name = "row" if self.draft.which == "row" else "rows"
        return whole_number(name, self.draft.count, most=self.row_count)

    def _code(self, arguments: Mapping[str, Any]) -> str:
        if self.data is None:
            return comparison_code(arguments, None)
        source = None
        if self.data_name is not None and "data" in arguments:
            kind = kind_of(self.data)
            source = rows_source(self.data_name, self.draft.which, self._count(), kind=kind)
        elif len(arguments.get("data") or ()) in range(1, _LITERAL_ROWS + 1):
            try:
                used = [*column_names(self.draft.prompt), *column_names(self.draft.system)]
                source = literal_rows(arguments["data"], list(dict.fromkeys(used)))
            except (AllosError, KeyError):
                source = None
        return comparison_code(arguments, source or "...  # your table: give it a name first")

    def __repr__(self) -> str:
        names = ", ".join(each.name for each in self.draft.models) or "no model"
        count = len(self.comparisons)
        return f"Playground({names}; {count} run{'' if count == 1 else 's'})"

    def __str__(self) -> str:
        return (
            "A playground: run its cell in a notebook to edit the prompt and choose models. "
            f"This does the same:\n\n{self.as_code()}"
        )


def playground(
    prompt: str | None = None,
    *,
    models: Sequence[Model] | str | Provider | None = None,
    system: str | None = None,
    data: Any = None,
    n: int = 1,
    **params: Any,
) -> Playground:
    """A place to edit a prompt, choose models and run them, side by side, as often as you like.

    In a notebook it shows fields for the prompt and the system prompt, a list of models with prices, and
    parameters; what a run would cost stands beside its button. Every run is a comparison of its own,
    below the earlier ones. Nothing is sent before you press Run.

    Parameters
    ----------
    prompt : str or None
        The prompt to begin with. With `data`, ``{{ name }}`` stands for the value of that column.
    models : sequence of str, Provider or mapping, or None
        As in `allos.compare`. None: the model of the settings, or the embedded one.
    system : str or None
        Instructions to the models; ``{{ name }}`` as in `prompt`.
    data : DataFrame, sequence of mappings, or None
        Rows for the prompt, as in `allos.compare`.
    n : int
        Repeats of every call.
    **params
        Parameters for all models (`temperature`, `max_tokens` ...).

    Returns
    -------
    Playground
        Its comparisons are in `comparisons`, the newest in `last`, all rows in `frame`; `as_code()` is
        the cell that does the same.

    Raises
    ------
    ConfigurationError
        An unknown model or parameter, or data that is none.

    Examples
    --------
    ::

        tickets = pd.DataFrame({"text": ["Parcel late again", "Wrong size"]})
        allos.playground("Answer kindly: {{ text }}", models=["local/smollm2"], data=tickets)
    """
    made = build_playground(prompt, models=models, system=system, data=data, n=n, params=params)
    made.data_name = name_of(data)
    return _continued(made)


def build_playground(
    prompt: str | None,
    *,
    models: Sequence[Model] | str | Provider | None,
    system: str | None,
    data: Any,
    n: int,
    params: Mapping[str, Any],
) -> Playground:
    """A playground whose data has no name, and that remembers nothing; see `playground`."""
    for name, text in (("prompt", prompt), ("system", system)):
        if not isinstance(text, str | None):
            raise ConfigurationError(f"{name} must be a string, got {type(text).__name__}.")
    _check_other(params)
    data_rows(take(data, "first", 1) if data is not None and is_table(data) else data)
    providers: dict[str, Provider] = {}
    given = [current_session().model_name(None)] if models is None else models
    draft = Draft(
        prompt=prompt or "",
        system=system or "",
        models=_draft_models(given, providers),
        params=_draft_params(params),
        n=str(n),
        which="all" if data is None or len(data) <= _ALL_ROWS else "first",
        count=str(_FIRST_ROWS),
    )
    other = {name: value for name, value in params.items() if name not in PARAMETER_FIELDS}
    made = Playground(draft, data=data, providers=providers, shared=other)
    _, problems = made._arguments()
    for where, problem in problems.items():
        if where.partition(".")[0] in ("models", "params", "n") and where != "models":
            raise ConfigurationError(problem)
    return made


def _continued(made: Playground) -> Playground:
    """Go on with what was typed, where the same cell makes the same playground again."""
    cell_id = context.current().cell_id
    if cell_id is None:
        return made
    begun = current_session().playgrounds
    key = (cell_id, made.data_name)
    earlier = begun.get(key)
    begun[key] = (made.draft, made)
    if earlier is not None and earlier[0] == made.draft and earlier[1].columns == made.columns:
        made.draft = earlier[1].draft
        made.comparisons = earlier[1].comparisons
    return made


# ---- what is given -----------------------------------------------------------------------------


def _draft_models(models: Any, providers: dict[str, Provider]) -> tuple[DraftModel, ...]:
    from allos.runs.grid import build_columns

    drafts = []
    for column in build_columns(models, [{}], {}) if models != [] else ():
        unknown = [name for name in column.params if name not in PARAMETER_FIELDS]
        if unknown:
            raise ConfigurationError(
                f"{column.name}: {unknown[0]!r} cannot be set for one model in a playground; give it for "
                "all, or use allos.compare."
            )
        if isinstance(column.model, Provider):
            providers[column.name] = column.model
        drafts.append(DraftModel(name=column.name, params=_draft_params(column.params)))
    return tuple(drafts)


def _check_other(params: Mapping[str, Any]) -> None:
    """Refuse what is no option, and what no code can say: tools, types, keys."""
    for name, value in params.items():
        if name not in (*CALL_OPTIONS, *OVERRIDABLE_OPTIONS):
            known = [*PARAMETER_FIELDS, *OVERRIDABLE_OPTIONS]
            raise ConfigurationError(f"unknown parameter {name!r}.{did_you_mean(name, known)}")
        if name in _NOT_HERE:
            raise ConfigurationError(f"{name} cannot be set in a playground: {_NOT_HERE[name]}.")
        if name not in PARAMETER_FIELDS and not is_literal(value):
            raise ConfigurationError(f"{name} cannot be set in a playground: use allos.compare.")


def _draft_params(params: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: parameter_text(value)
        for name, value in params.items()
        if name in PARAMETER_FIELDS and value is not None
    }
