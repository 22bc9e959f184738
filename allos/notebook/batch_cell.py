"""``%%allos batch DATA MODEL ...``: the cell's prompt for every row of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
        **arguments.params,
    }
    if arguments.schema is not None:
        options["schema"] = schema_of(arguments.schema, dict(namespace))
    data = _data(arguments, namespace)
    if arguments.dry_run:
        plan = preview_batch(data, prompt, **options)
        if arguments.output is not None:
            shell.user_ns[arguments.output] = plan
        return plan
    started = batch(
        data,
        prompt,
        refresh=arguments.refresh,
        confirm=prompts.batch_confirmation(shell),
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
