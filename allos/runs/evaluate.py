"""`allos.evaluate`: which model is best for your data. A batch, scored, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from allos.errors import ConfigurationError, did_you_mean
from allos.messages import Prompt
from allos.providers import Provider
from allos.runs.batch import batch
from allos.runs.batching.chat_rows import chats_of
from allos.runs.batching.data_rows import as_frame
from allos.runs.evaluation import Evaluation
from allos.runs.score import normalize_scorers


def evaluate(
    data: Any,
    prompt: Prompt | None = None,
    *,
    models: Sequence[str | Provider] | str | Provider,
    scorers: Any,
    target: str | None = None,
    count_failures: bool = False,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    **options: Any,
) -> Evaluation:
    """Ask several models about every row of a table, and score their answers.

    Returns at once. Running it again asks only what is not answered yet; with other scorers it asks
    nothing.

    Parameters
    ----------
    data, prompt, models, params, n
        As in `allos.batch`.
    scorers : sequence of callable or str
        As in `allos.score`: functions of a row, and ready ones of `allos.scorers` or their names.
    target : str or None
        Column of the data with the expected answer.
    count_failures : bool
        Give a row without a whole answer the score 0, instead of none.
    **options
        The others of `allos.batch`: `system`, `schema`, `concurrency`, `budget_usd`, parameters ...

    Returns
    -------
    Evaluation
        `frame` is one row per call with a column per scorer, `table` the models with intervals,
        `comparisons` every two of them on the same rows.

    Raises
    ------
    ConfigurationError
        As in `allos.batch` and `allos.score`; nothing was sent.

    Examples
    --------
    ::

        found = allos.evaluate(
            tickets,
            "Classify as billing, shipping or other: {{ text }}",
            models=["local/smollm2", "groq/llama-3.1-8b-instant"],
            scorers=["exact"],
            target="label",
        )
        found.table
    """
    frame = as_frame(data)
    if prompt is None:
        frame = chats_of(frame, None).frame
    known = list(frame.columns)
    named = normalize_scorers(scorers, target)
    for name in [target, *(each.target for each in named)]:
        if name is not None and name not in known:
            raise ConfigurationError(
                f"target: the data has no column {name!r}.{did_you_mean(name, known)} Nothing was sent."
            )
    for each in named:
        if each.name in known:
            raise ConfigurationError(
                f"The data has a column {each.name!r} already: give the scorer another name=. "
                "Nothing was sent."
            )
    started = batch(frame, prompt, models=models, params=params, n=n, **options)
    return Evaluation(started, named, count_failures=count_failures)
