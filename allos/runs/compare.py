"""`allos.compare`: prompts and models, side by side. Plain Python, no notebook needed.

A comparison is a grid: each model with each set of parameters is a column, each prompt with each row
of the data a row, and where they meet there are n cells for the repeats. Every cell is one call and
one row of the log. The calls run on the loop thread, so
`compare` returns at once; nobody needs to wait for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from allos import context
from allos.errors import BudgetError
from allos.messages import Prompt, as_messages
from allos.runs.ask import normalize_tags
from allos.runs.columns_in_prompts import check_columns_in_prompts
from allos.runs.comparison import Comparison
from allos.runs.data import data_rows, given_prompts
from allos.runs.grid import Grid, Model, build_columns, normalize_models, normalize_params
from allos.secret import seal_secrets
from allos.session import current_session

if TYPE_CHECKING:
    from allos.providers.pricing.planned_requests import Preview


def compare(
    prompt: Prompt | None = None,
    *,
    models: Sequence[Model],
    prompts: Sequence[Prompt] | None = None,
    data: Any = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    system: str | None = None,
    tags: Sequence[str] = (),
    refresh: bool = False,
    blind: bool = False,
    confirm: Callable[[Preview], bool] | None = None,
    **shared: Any,
) -> Comparison:
    """Ask several models the same things at once.

    Returns at once; a model that fails is a failed response and leaves the others alone.

    Parameters
    ----------
    prompt : str, Image, File, sequence of those, or iterable of Message
        The question, with images and files in its order, or a whole conversation. Taken as it is,
        unless there is `data`.
    models : sequence of str, Provider or mapping
        ``provider/model`` names or provider objects. A name may stand twice. A mapping gives a model
        parameters of its own, which win over all others: ``{"model": "groq/...", "effort": "low"}``.
    prompts : sequence of prompts, or None
        Several questions, each for every model; in place of `prompt`.
    data : DataFrame, or sequence of mappings, or None
        Each row is put into each prompt: ``{{ name }}`` stands for the value of that column.
    params : sequence of mappings, or None
        Sets of parameters to try with each model; each makes a column of its own.
    n : int
        Repeats of every column: n separate calls.
    system : str or None
        Instructions to the models.
    tags : sequence of str
        Words to find the rows again.
    refresh : bool
        Ask even where answers are recorded, and record the new ones in their place.
    blind : bool
        Show the answers without names and ask for votes, see `Comparison.blind`.
    confirm : callable or None
        ``confirm(preview)`` says whether to go on, given what would be sent and what it costs at
        most. None asks nobody.
    **shared
        Parameters for all (`temperature`, `max_tokens`, `timeout_s` ...); `params` wins over them.
        With `strict`, a model that does not support one of them fails without being asked.

    Returns
    -------
    Comparison

    Raises
    ------
    ConfigurationError
        An unknown provider, no model, no prompt or two kinds of them; nothing was sent.
    TemplateError
        A prompt names what is not a column of `data`; nothing was sent.
    BudgetError
        `confirm` said no; nothing was sent.

    Examples
    --------
    ::

        both = allos.compare(
            "Explain gravity.",
            models=["local/smollm2", "groq/llama-3.1-8b-instant"],
            params=[{"temperature": 0}, {"temperature": 1}],
        )
        both.wait().frame[["model", "temperature", "content", "latency_s"]]

        tickets = pd.DataFrame({"text": ["Parcel late again", "Wrong size"]})
        allos.compare("Answer kindly: {{ text }}", models=["local/smollm2"], data=tickets)
    """
    seal_secrets(shared)
    models, params = normalize_models(models), normalize_params(params)
    columns = build_columns(models, params, shared)
    asked = [as_messages(each, system) for each in given_prompts(prompt, prompts)]
    grid = Grid(asked, columns, rows=data_rows(data), n=n)
    check_columns_in_prompts(grid)
    with_tags = context.using(tags=normalize_tags(tags))
    if confirm is not None:
        from allos.runs.preview import preview_grid

        if not confirm(preview_grid(grid)):
            raise BudgetError("The comparison was not confirmed. Nothing was sent.")
    session = current_session()
    session.open_log()
    session.open_configured_replay()
    with with_tags:
        comparison = Comparison(grid, refresh=refresh)
    if blind:
        comparison.blind()
    for on_run_started in session.on_run_started:
        on_run_started(comparison)
    comparison.start()
    return comparison
