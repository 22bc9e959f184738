"""`allos.preview`: what `ask` or `compare` would send, with estimated cost. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from allos.errors import AllosError, ConfigurationError, MissingKeyError
from allos.messages import Message, Prompt, as_messages
from allos.providers import Provider
from allos.providers.auth.endpoints import PLACEHOLDER
from allos.providers.pricing.estimates import CHARS_PER_TOKEN
from allos.providers.pricing.planned_requests import PlannedRequest, Preview
from allos.runs.columns_in_prompts import check_columns_in_prompts
from allos.runs.data import data_rows, given_prompts
from allos.runs.grid import Grid, Model, build_columns, normalize_params
from allos.runs.start import split_options
from allos.secret import seal_secrets
from allos.session import current_session


def preview(
    prompt: Prompt | None = None,
    *,
    prompts: Sequence[Prompt] | None = None,
    data: Any = None,
    model: str | Provider | None = None,
    models: Sequence[Model] | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    system: str | None = None,
    stream: bool | None = None,
    exact: bool = False,
    **shared: Any,
) -> Preview:
    """Return the requests of a question or a comparison, with tokens and cost. Nothing is sent.

    No key is needed; where one is missing, the plan says so.

    Parameters
    ----------
    prompt, system
        As in `allos.ask`.
    model : str, Provider or None
        One model, as in `allos.ask`.
    models, prompts, data, params, n
        A comparison, as in `allos.compare`: of each column the longest request, and how many there
        are. Errors of single columns are in the preview's `failures`.
    stream : bool or None
        Whether the answer would be streamed. None: as in `ask` and `compare`.
    exact : bool
        Let the services count the prompt's tokens, where they can (Anthropic, the embedded model);
        that request is sent.
    **shared
        Parameters, `tools`, `schema`, and options of a provider, as in `allos.ask`.

    Returns
    -------
    Preview
        One `PlannedRequest` per column; prints as the requests.

    Raises
    ------
    ConfigurationError
        As in `allos.ask`.

    Examples
    --------
    >>> plan = preview("Hi", model="groq/llama-3.1-8b-instant", api_key="gsk-example", max_tokens=9)
    >>> plan.requests[0].body["messages"]
    [{'role': 'user', 'content': 'Hi'}]
    >>> plan.requests[0].headers["authorization"]
    'Bearer ***'
    """
    seal_secrets(shared)
    asked = [as_messages(each, system) for each in given_prompts(prompt, prompts)]
    rows = data_rows(data)
    if model is not None and models is not None:
        raise ConfigurationError(
            "preview accepts model= for one call or models= for a comparison, not both."
        )
    if models is None:
        if rows is not None or len(asked) > 1:
            raise ConfigurationError("prompts= and data= need models=[...], as in compare.")
        return _one(asked[0], model, shared, stream=bool(stream), exact=exact)
    columns = build_columns(models, normalize_params(params), shared)
    grid = Grid(asked, columns, rows=rows, n=n)
    check_columns_in_prompts(grid)
    return preview_grid(grid, stream=stream is not False, exact=exact)


def preview_grid(grid: Grid, *, stream: bool = True, exact: bool = False) -> Preview:
    """Return what a grid would send: of each column its longest conversation, and how many there are."""
    longest: tuple[Message, ...] = ()
    most, total = -1, 0
    for _, _, messages, _ in grid.filled():
        length = sum(len(message.text or "") for message in messages)
        total += length
        if length > most:
            longest, most = messages, length
    shorter = (most * grid.inputs - total) * grid.n / CHARS_PER_TOKEN
    planned: list[PlannedRequest] = []
    failures: dict[str, str] = {}
    for column in grid.columns:
        try:
            one = _one(longest, column.model, column.params, stream=stream, exact=exact)
        except (AllosError, ValueError, TypeError) as exc:
            failures[column.name] = str(exc)
        else:
            calls = grid.inputs * grid.n
            planned += (
                replace(
                    each,
                    calls=calls,
                    all_input_tokens=round(each.estimate.input_tokens * calls - shorter),
                )
                for each in one.requests
            )
    return Preview(tuple(planned), failures)


def _one(
    messages: tuple[Message, ...],
    model: str | Provider | None,
    params: Mapping[str, Any],
    *,
    stream: bool,
    exact: bool,
) -> Preview:
    options, rest = split_options(model, params)

    def plan(**more: Any) -> Preview:
        provider = current_session().provider_for(model, **options, **more)
        return provider.preview(messages, stream=stream, exact=exact, **rest)

    try:
        return plan()
    except MissingKeyError as exc:
        if exact or isinstance(model, Provider):  # the service is asked; its key is its own
            raise
        missing = str(exc).removesuffix(" Nothing was sent.")
    # A key is masked in a plan, so that any will do.
    planned = plan(api_key=PLACEHOLDER)
    requests = [replace(each, missing_key=missing) for each in planned.requests]
    return Preview(tuple(requests), planned.failures)
