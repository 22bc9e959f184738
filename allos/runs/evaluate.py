"""`allos.evaluate`: which model is best for your data. A batch, scored, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from allos.errors import ConfigurationError, did_you_mean
from allos.messages import Prompt
from allos.providers import Provider
from allos.providers.validation import flag
from allos.runs.batch import batch
from allos.runs.batching.chat_rows import chats_of
from allos.runs.batching.data_rows import as_frame
from allos.runs.column_checks import OPTIONS
from allos.runs.decider import Decider
from allos.runs.evaluation import Evaluation
from allos.runs.grid import Model, normalize_models, normalize_params
from allos.runs.keywords import checked_keywords, keyword_names
from allos.runs.remembered_scores import remembered
from allos.runs.score import normalize_scorers
from allos.scorers import Scorer


@checked_keywords(*(name for name in keyword_names(batch) if name != "pace"), *OPTIONS)
def evaluate(
    data: Any,
    prompt: Prompt | None = None,
    *,
    models: Sequence[Model] | str | Provider,
    scorers: Any,
    target: str | None = None,
    count_failures: bool = False,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    until: str | None = None,
    decide_by: str | None = None,
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
    until : str or None
        ``"decided"``: look at the scores as they come, and send nothing more once one model is better than
        all others. Rows are then asked in random order, the same every time.
    decide_by : str or None
        Name of the scorer that decides, whose scores are from 0 to 1. None: the first one.
    **options
        The others of `allos.batch`: `system`, `schema`, `concurrency`, `budget_usd`, parameters ...

    Returns
    -------
    Evaluation
        `frame` is one row per call with a column per scorer, `table` the models with intervals,
        `comparisons` every two of them on the same rows; `decision` says whether, and after how many rows,
        it is decided, and what was saved.

    Raises
    ------
    ConfigurationError
        As in `allos.batch` and `allos.score`; nothing was sent.

    Notes
    -----
    ``until="decided"`` names a model that is not better than all others in at most 5 % of evaluations, however
    often it looks: it tests the differences of each two models on the same rows by betting (Waudby-Smith and
    Ramdas 2023, arXiv:2010.09686), with 5 % shared by the models (Bonferroni). It assumes scores from 0 to 1, and
    that the rows speak for those that you care about: as a random sample, or as all of them. A row without a
    score of one model says nothing about that model.

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
    flag("count_failures", count_failures)
    frame = as_frame(data)
    if prompt is None:
        frame = chats_of(frame, None).frame
    known = list(frame.columns)
    named = normalize_scorers(scorers, target)
    for name in [target, *(each.target for each in named)]:
        if name is not None and name not in known:
            raise ConfigurationError(
                f"target: the data has no column {name!r}.{did_you_mean(str(name), [str(each) for each in known])} Nothing was sent."
            )
    for each in named:
        if each.name in known:
            raise ConfigurationError(
                f"The data has a column {each.name!r} already: give the scorer another name=. "
                "Nothing was sent."
            )
    named = [remembered(each) for each in named]
    pace = None
    if until is not None:
        params = normalize_params(params)
        columns = len(normalize_models(models)) * len(params)
        if options.get("mode", "calls") != "calls":
            raise ConfigurationError(
                "until='decided' looks at the answers as they come, and a service's batch API gives all at once: "
                "leave out mode=. Nothing was sent."
            )
        pace = Decider(_decisive(named, until, decide_by, columns), count_failures=count_failures)
    elif decide_by is not None:
        raise ConfigurationError("decide_by= is for until='decided'. Nothing was sent.")
    started = batch(frame, prompt, models=models, params=params, n=n, pace=pace, **options)
    # Of a batch that runs already, the one that decides already.
    decider = started.pace if isinstance(started.pace, Decider) else None
    return Evaluation(started, named, count_failures=count_failures, decider=decider)


def _decisive(scorers: Sequence[Scorer], until: object, name: object, columns: int) -> Scorer:
    """The scorer that decides."""
    if until != "decided":
        raise ConfigurationError(
            f"until must be 'decided' or None, got {until!r:.80}. Nothing was sent."
        )
    if columns < 2:
        raise ConfigurationError(
            "until='decided' needs two models, or sets of parameters, to decide between. Nothing was sent."
        )
    known = [each.name for each in scorers]
    if name is not None and name not in known:
        raise ConfigurationError(
            f"decide_by: there is no scorer {name!r:.80}.{did_you_mean(str(name), known)} Nothing was sent."
        )
    return scorers[0 if name is None else known.index(str(name))]
