"""``%%allos batch DATA MODEL ...``: the cell's prompt for every row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allos import context
from allos.errors import ConfigurationError, did_you_mean
from allos.notebook import prompts
from allos.notebook.values import schema_of
from allos.session import current_session

if TYPE_CHECKING:
    from allos.notebook.arguments import Arguments
    from allos.notebook.display import Display
    from allos.runs.batching.live_batch import Batch


def run_batch(
    shell: Any,
    display: Display,
    arguments: Arguments,
    prompt: str,
    namespace: Mapping[str, Any],
) -> Batch | Any:
    """Start the batch of a cell; it is shown as the cell's result.

    ``{{ name }}`` in the prompt is a column of the data, never a variable.
    """
    from allos.runs.batch import batch, preview_batch

    _check_flags(arguments)
    options: dict[str, Any] = {
        "models": arguments.models or (current_session().model_name(None),),
        "system": arguments.system,
        "n": arguments.repeats,
        "budget_usd": arguments.budget_usd,
        **({} if arguments.mode is None else {"mode": arguments.mode}),
        **arguments.params,
    }
    if arguments.schema is not None:
        options["schema"] = schema_of(arguments.schema, dict(namespace))
    data = _data(arguments, namespace)
    executor = _executor(arguments.executor, namespace)
    if arguments.dry_run:
        plan = preview_batch(data, prompt, **options)
        if arguments.output is not None:
            shell.user_ns[arguments.output] = plan
        return plan
    logged = context.current().logged and not arguments.no_log
    with context.using(logged=logged):
        started = batch(
            data,
            prompt,
            refresh=arguments.refresh,
            confirm=prompts.batch_confirmation(shell),
            executor=executor,
            store=arguments.store,
            **options,
        )
    if arguments.output is not None:
        shell.user_ns[arguments.output] = started
    if arguments.quiet:
        display.hide_once(started)
    return started


def _data(arguments: Arguments, namespace: Mapping[str, Any]) -> Any:
    word = arguments.data
    assert word is not None
    if word.quoted:
        return word.text
    if word.text not in namespace:
        raise ConfigurationError(
            f"batch: {word.text!r} is not defined.{did_you_mean(word.text, namespace)} It must be a "
            'variable with a table, or the path of a file in quotes: "rows.csv". Nothing was sent.'
        )
    return namespace[word.text]


def _executor(name: str | None, namespace: Mapping[str, Any]) -> Any:
    if name is None:
        return None
    found = namespace.get(name)
    if found is None:
        problem = "is None" if name in namespace else "is not defined"
        raise ConfigurationError(
            f"--executor: {name!r} {problem}.{did_you_mean(name, namespace) if name not in namespace else ''} "
            "It must be a variable with a concurrent.futures.Executor or the client of a Dask cluster. "
            "Nothing was sent."
        )
    return found


def _check_flags(arguments: Arguments) -> None:
    """Refuse flags that a batch does not support, rather than ignore them."""
    flags = {
        "--chat": arguments.chat,
        "--tools": arguments.tools,
        "--image": arguments.images,
        "--unsafe-html": arguments.unsafe_html,
        "--no-stream": not arguments.stream,
    }
    for flag in [name for name, value in flags.items() if value]:
        raise ConfigurationError(f"{flag} is not supported in a batch. Nothing was sent.")
