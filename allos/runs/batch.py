"""`allos.batch`: the rows of a table times several models. Plain Python, no notebook needed.

A batch is a grid of tasks like a comparison, for thousands of rows: its answers are in the log and not
in memory, and every call has a key there, so that a batch that was stopped goes on where it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from allos import context
from allos.errors import BudgetError, ConfigurationError
from allos.messages import Prompt, as_messages
from allos.providers import Provider
from allos.providers.validation import flag
from allos.runs.ask import normalize_tags
from allos.runs.batching import arguments, finished_calls
from allos.runs.batching.batch_calls import BatchCalls
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.batch_preview import BatchPreview, preview_of
from allos.runs.batching.batch_record import record_of
from allos.runs.batching.calls import BatchOptions, Calls
from allos.runs.batching.chat_rows import chats_of
from allos.runs.batching.data_rows import DataRows, as_frame
from allos.runs.batching.live_batch import Batch, Pace
from allos.runs.batching.submitted_files import SubmittedFiles
from allos.runs.batching.tool_calls import ToolOptions, check_tools, functions_of
from allos.runs.column_checks import OPTIONS, check_column
from allos.runs.columns_in_prompts import check_columns_in_prompts
from allos.runs.executors.answer_files import AnswerFiles, checked_address
from allos.runs.executors.answers_back import take_all_files
from allos.runs.executors.executor_calls import ExecutorCalls
from allos.runs.executors.pool import Pool, pool_of
from allos.runs.grid import Grid, Model, build_columns, normalize_models, normalize_params
from allos.runs.keywords import checked_keywords, keyword_names
from allos.secret import seal_secrets
from allos.session import Session, current_session
from allos.tools.tool import as_tools
from allos.tools.tool_loop import MAX_STEPS, Approve, check_loop_options

if TYPE_CHECKING:
    from allos.log.store.protocol import Store


@checked_keywords(*OPTIONS)
def batch(
    data: Any,
    prompt: Prompt | None = None,
    *,
    models: Sequence[Model] | str | Provider,
    system: str | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    schema: Any = None,
    tools: Any = None,
    max_steps: int = MAX_STEPS,
    approve: Approve | None = None,
    concurrency: int | None = None,
    budget_usd: float | None = None,
    batch_id: str | None = None,
    on_error: str = "row",
    mode: str = "calls",
    tags: Sequence[str] = (),
    refresh: bool = False,
    reuse: bool = False,
    confirm: Callable[[BatchPreview], bool] | None = None,
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    pace: Pace | None = None,
    **shared: Any,
) -> Batch:
    """Ask several models about every row of a table.

    Returns at once. Every call is a row of the log; running the same batch again, in this process or
    another, asks only what is not answered yet: failed calls, changed rows, added rows and models.

    Parameters
    ----------
    data : DataFrame, table, list of dicts, str or path-like
        One row for each prompt: a frame of pandas or polars, an Arrow table, a dataset of Hugging Face,
        rows as dicts, or the path of a CSV, JSONL or Parquet file.
    prompt : str, or as in `allos.ask`, or None
        ``{{ name }}`` stands for the row's value in the column `name`. Names of columns are
        substituted, nothing is evaluated; a missing column or value is an error before anything is sent.
        None: each row is a conversation, in the column `messages` (exported chats) or `input` (samples
        of OpenAI evals); an answer that it ends with is not sent, but the column `ideal`.
    models : sequence of str or Provider
        ``provider/model`` names or provider objects.
    system : str or None
        Instructions to the models; ``{{ name }}`` as in `prompt`.
    params : sequence of mappings, mapping or None
        Sets of parameters to try with each model.
    n : int
        Repeats of every call.
    schema : type, mapping or None
        Type of the answers, as in `allos.ask`; its fields are columns of the frame.
    tools : sequence or None
        Functions that the models may call, as in `allos.ask`: they run, until a model answers or `max_steps`
        is reached. Each step is a row of the log; the frame has the last one. Nobody is asked: a tool that
        is not trusted needs `approve`. Calls of tools without a function are in the column `tool_calls`.
    max_steps, approve
        As in `allos.ask`.
    concurrency : int or None
        Most calls at once, which services share evenly. None: as many as each service takes, found by
        trying; up to 256.
    budget_usd : float or None
        What the batch may cost, earlier runs of it included; calls that could exceed it are not sent.
    batch_id : str or None
        Name of the batch. None: it follows from the data and the prompt, and a batch with changed data
        goes on under the same name.
    on_error : str
        ``"row"``: a call that fails is a row with an error. ``"raise"``: the first one pauses the batch,
        and waiting for it raises its error.
    mode : str
        ``"calls"``: call by call. ``"provider_batch"``: through the batch APIs of the services (OpenAI,
        Anthropic, Groq), which answer within 24 hours at half the price. The kernel may end meanwhile:
        running the same batch again collects the answers.
    tags : sequence of str
        Words to find the rows again.
    refresh : bool
        Ask everything again, also what is answered.
    reuse : bool
        Take complete answers of equal requests from the log, whoever made them, in place of asking again. They
        are rows of the batch, marked as `replayed`, and cost nothing.
    confirm : callable or None
        ``confirm(preview)`` says whether to go on, given what is left to do and what it costs at most.
    executor : concurrent.futures.Executor, dask.distributed.Client or None
        Whose workers make the calls, each with keys of its own, and log them. None: this process.
    store : str, path-like or None
        With `executor`, for workers that have no log in common: a folder, or a URL that fsspec knows
        (``s3://bucket/team``), where each writes its answers as Parquet files, which this process takes into
        its log. Extra ``[object-store]``.
    pace : Pace or None
        What decides which rows are asked next, and when to stop: that of ``evaluate(until="decided")``.
    **shared
        Parameters for all (`temperature`, `max_tokens`, `timeout_s` ...); `params` wins over them.

    Returns
    -------
    Batch
        `frame` is one row per call; `wait`, `pause`, `resume`, `cancel`; it can be awaited and iterated.

    Raises
    ------
    ConfigurationError
        The data is not a table, an unknown provider, no model; nothing was sent.
    TemplateError
        A column or a value is missing; nothing was sent.
    BudgetError
        `confirm` said no; nothing was sent.

    Examples
    --------
    ::

        labels = allos.batch(
            tickets,
            "Classify: {{ text }}",
            models=["local/smollm2", "groq/llama-3.1-8b-instant"],
            max_tokens=10,
            budget_usd=0.50,
        )
        labels.frame[["text", "model", "content", "cost_usd"]]
    """
    seal_secrets(shared)
    options = BatchOptions(
        concurrency=arguments.concurrency(concurrency),
        budget_usd=arguments.budget_usd(budget_usd),
        on_error=arguments.on_error(on_error),
        refresh=flag("refresh", refresh),
        reuse=flag("reuse", reuse),
        mode=arguments.mode(mode),
    )
    arguments.confirm(confirm)
    arguments.pace(pace)
    check_loop_options(max_steps, approve)
    if schema is not None:
        shared["schema"] = schema
    if tools is not None:
        shared["tools"] = as_tools(tools)
    plan = _plan(data, prompt, models, system, params, n, shared)
    with context.using(tags=normalize_tags(tags)):
        return start_batch(
            plan,
            options,
            tools=ToolOptions(max_steps=max_steps, approve=approve),
            batch_id=arguments.batch_id(batch_id),
            confirm=confirm,
            executor=executor,
            store=store,
            pace=pace,
        )


@checked_keywords(*keyword_names(batch), *OPTIONS)
def preview_batch(
    data: Any,
    prompt: Prompt | None = None,
    *,
    models: Sequence[Model] | str | Provider,
    system: str | None = None,
    params: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    n: int = 1,
    budget_usd: float | None = None,
    batch_id: str | None = None,
    mode: str = "calls",
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    **shared: Any,
) -> BatchPreview:
    """Return what `batch` would send and cost with the same arguments. Nothing is sent.

    Answers that workers have left in the `store` of the batch are taken into the log, as `batch` does first.

    Parameters
    ----------
    data, prompt, models, system, params, n, budget_usd, batch_id, mode, executor, store, **shared
        As in `batch`, whose other arguments are taken as well.

    Returns
    -------
    BatchPreview
        Of each model the calls that are left, their estimated tokens and the most that they may cost; what
        is answered already, and how many calls the budget allows at least. Prints as a few lines.

    Raises
    ------
    ConfigurationError, TemplateError, LogError
        As in `batch`.

    Examples
    --------
    >>> import pandas as pd
    >>> tickets = pd.DataFrame({"text": ["Where is it?", "Too dear."]})
    >>> preview_batch(tickets, "Classify: {{ text }}", models="groq/x", api_key="gsk-example").calls
    2
    """
    seal_secrets(shared)
    options = BatchOptions(
        budget_usd=arguments.budget_usd(budget_usd),
        refresh=flag("refresh", shared.pop("refresh", False)),
        reuse=flag("reuse", shared.pop("reuse", False)),
        mode=arguments.mode(mode),
    )
    pace = shared.pop("pace", None)
    arguments.pace(pace)
    _check_running(shared)
    plan = _plan(data, prompt, models, system, params, n, shared)
    pool = _checked_pool(executor, options, pace)
    address = _checked_store(store, pool, options)
    session = current_session()
    session.open_log()
    _check_reuse(plan, options, pool)
    log, run_id, finished, _ = _known_of(
        session, plan, arguments.batch_id(batch_id), options, address
    )
    _check_at_service(log, run_id, plan, options, finished)
    spent_usd = finished.cost_usd or 0.0
    kept = [] if options.refresh else _kept(plan, finished)
    return preview_of(plan, kept, options.budget_usd, spent_usd, options.mode)


def _check_running(shared: dict[str, Any]) -> None:
    """Check and take out those arguments of a batch that change nothing of what it sends."""
    arguments.concurrency(shared.pop("concurrency", None))
    arguments.on_error(shared.pop("on_error", "row"))
    arguments.confirm(shared.pop("confirm", None))
    check_loop_options(shared.pop("max_steps", MAX_STEPS), shared.pop("approve", None))
    normalize_tags(shared.pop("tags", ()))


def _plan(
    data: Any,
    prompt: Prompt | None,
    models: Any,
    system: str | None,
    params: Any,
    n: int,
    shared: Mapping[str, Any],
) -> BatchPlan:
    frame = as_frame(data)
    columns = build_columns(normalize_models(models), normalize_params(params), shared)
    for column in columns:  # one mistyped name would make an error of every row
        check_column(column)
    if prompt is None:
        chats = chats_of(frame, system)
        return BatchPlan(Grid(chats.conversations, columns, n=n), DataRows(chats.frame))
    if isinstance(prompt, str) and not prompt.strip():
        raise ConfigurationError("The prompt is empty. Nothing was sent.")
    rows = DataRows(frame)
    grid = Grid([as_messages(prompt, system)], columns, rows=rows, n=n)
    check_columns_in_prompts(grid)
    return BatchPlan(grid, rows)


def _finished(
    store: Store | None, plan: BatchPlan, batch_id: str | None
) -> tuple[str, finished_calls.Finished]:
    """Id of a batch, and what of it is in the log."""
    if store is None:
        return batch_id or plan.id, finished_calls.Finished()
    run_id = batch_id or finished_calls.earlier_run(store, plan) or plan.id
    return run_id, finished_calls.read_finished(store, run_id)


def _kept(plan: BatchPlan, finished: finished_calls.Finished) -> list[int]:
    return [at for key in finished.ok if (at := plan.find(key)) is not None]


def start_batch(
    plan: BatchPlan,
    options: BatchOptions,
    *,
    tools: ToolOptions | None = None,
    batch_id: str | None = None,
    confirm: Callable[[BatchPreview], bool] | None = None,
    executor: Any = None,
    store: str | os.PathLike[str] | None = None,
    pace: Pace | None = None,
) -> Batch:
    """Start what is left of a batch; of one that runs already, return that."""
    session = current_session()
    tools = tools or ToolOptions()
    for column in plan.grid.columns:
        check_tools(column, tools, session)
    pool = _checked_pool(executor, options, pace)
    address = _checked_store(store, pool, options)
    session.open_log()
    session.open_configured_replay()
    _check_reuse(plan, options, pool)
    log, run_id, finished, files = _known_of(session, plan, batch_id, options, address)
    running = _running(session, run_id, plan)
    if running is not None and not options.refresh:
        if running.goes_on_with(options, executor, pace):
            for on_run_started in session.on_run_started:
                on_run_started(running)
            is_record_old = (running.pace is None) != (pace is None)
            running.change_pace(pace)
            if is_record_old:
                _save_record(session, run_id, plan, options, pace)
            return running.resume() if running.is_paused else running
        running.cancel()  # nothing of it is under way, and its answers are in the log
        log = finished_calls.readable_store(session)
        _, finished = _finished(log, plan, run_id)
    kept = [] if options.refresh else _kept(plan, finished)
    if confirm is not None:
        spent_usd = finished.cost_usd or 0.0
        preview = preview_of(plan, kept, options.budget_usd, spent_usd, options.mode)
        if preview.calls and not confirm(preview):
            raise BudgetError("The batch was not confirmed. Nothing was sent.")
    _check_at_service(log, run_id, plan, options, finished)
    known: dict[str, Any] = {"kept": kept, "spent_by_session": finished.cost_by_session}
    calls: Calls
    if pool is None:
        calls = _calls_class(options)(run_id, plan, session, options, tools=tools, **known)
    else:
        calls = ExecutorCalls(run_id, plan, session, options, pool, files=files, **known)
    if calls.states.left:
        _save_record(session, run_id, plan, options, pace)
    started = Batch(run_id, calls, session, pace)
    for on_run_started in session.on_run_started:
        on_run_started(started)
    started.start()
    return started


def _known_of(
    session: Session,
    plan: BatchPlan,
    batch_id: str | None,
    options: BatchOptions,
    address: str | None,
) -> tuple[Store | None, str, finished_calls.Finished, AnswerFiles | None]:
    """The log, what it has of a batch, and the batch's store, of which the log gets what it does not have."""
    log = finished_calls.readable_store(session)
    run_id, finished = _finished(log, plan, batch_id)
    files = _answer_files(address, run_id, session)
    if log is not None and not options.refresh and take_all_files(run_id, session, files):
        run_id, finished = _finished(log, plan, run_id)
    return log, run_id, finished, files


def _save_record(
    session: Session, run_id: str, plan: BatchPlan, options: BatchOptions, pace: Pace | None
) -> None:
    if session.log.is_logging:
        has_data = session.log.redaction is None
        session.log.save_run(
            record_of(run_id, plan, options, is_paced=pace is not None, has_data=has_data)
        )


def _checked_pool(executor: Any, options: BatchOptions, pace: Pace | None) -> Pool | None:
    if executor is None:
        return None
    if options.mode != "calls":
        raise ConfigurationError(
            'mode="provider_batch" lets the services make the calls, and executor= other processes: use one. '
            "Nothing was sent."
        )
    if pace is not None:
        raise ConfigurationError(
            "until='decided' looks at the answers one by one, and workers give them back in parts: leave out "
            "executor= or until=. Nothing was sent."
        )
    return pool_of(executor)


def _check_reuse(plan: BatchPlan, options: BatchOptions, pool: Pool | None) -> None:
    if options.reuse and options.refresh:
        raise ConfigurationError(
            "refresh=True asks everything again, and reuse=True nothing that is answered: use one. Nothing was sent."
        )
    if options.reuse and (pool is not None or options.mode != "calls"):
        raise ConfigurationError(
            "reuse=True takes answers while this process makes the calls: leave out executor= and mode=, or reuse=. "
            "Nothing was sent."
        )
    if options.reuse and any(map(functions_of, plan.grid.columns)):
        raise ConfigurationError(
            "reuse=True takes single answers, and tools make several of each: leave out tools= or reuse=. "
            "Nothing was sent."
        )


def _checked_store(store: Any, pool: Pool | None, options: BatchOptions) -> str | None:
    if store is None:
        return None
    if pool is None:
        raise ConfigurationError(
            "store= is where the workers of executor= write their answers: pass executor=, or leave it out. "
            "Nothing was sent."
        )
    address = checked_address(store)
    if options.budget_usd is not None:
        raise ConfigurationError(
            "budget_usd= is one budget for all workers, which takes a log that they share, "
            "allos.log.open('postgresql://…'): leave out budget_usd= or store=. Nothing was sent."
        )
    return address


def _answer_files(address: str | None, run_id: str, session: Session) -> AnswerFiles | None:
    if address is None:
        return None
    if not session.log.is_logging:
        raise ConfigurationError(
            "store= needs the log of this process, which takes in what workers write: unset ALLOS_LOG, or call "
            "allos.log.open(path). Nothing was sent."
        )
    return AnswerFiles(address, run_id)


def _calls_class(options: BatchOptions) -> type[BatchCalls]:
    if options.mode == "calls":
        return BatchCalls
    from allos.runs.batching.provider_batch_calls import ProviderBatchCalls

    return ProviderBatchCalls


def _check_at_service(
    store: Store | None,
    run_id: str,
    plan: BatchPlan,
    options: BatchOptions,
    finished: finished_calls.Finished,
) -> None:
    """Refuse to call what a service's batch API is paid for already."""
    if store is None or options.mode != "calls" or options.refresh:
        return
    left = [
        key
        for file in SubmittedFiles(store, run_id).load()
        for key in file.keys
        if key not in finished.ok and plan.find(key) is not None
    ]
    if left:
        calls = "1 call is" if len(left) == 1 else f"{len(left):,} calls are"
        raise ConfigurationError(
            f'{calls} at the batch API of the service: mode="provider_batch" collects the answers, '
            "refresh=True asks, and pays, once more. Nothing was sent."
        )


def _running(session: Session, run_id: str, plan: BatchPlan) -> Batch | None:
    """The same batch, where it is under way in this process."""
    for run in list(session.active_runs):
        if isinstance(run, Batch) and run.is_same(run_id, plan):
            return run
    return None
