"""One use of ``%allos`` or ``%%allos``: parse, fill in, ask, show. A thin layer over `runs`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos import context
from allos.errors import (
    AllosError,
    ConfigurationError,
    Interrupted,
    ProviderError,
    SchemaError,
)
from allos.messages import Message, Prompt, as_messages
from allos.notebook import prompts, tool_approval
from allos.notebook.arguments import Arguments, parse
from allos.notebook.cell_budget import cell_budget, dry_run
from allos.notebook.commands import dispatch
from allos.notebook.front_end import is_headless
from allos.notebook.live_output import LiveOutput
from allos.notebook.question import Question, build_question, prompt_text
from allos.notebook.tracebacks import has_rule, without_traceback
from allos.providers.waiting import raise_for_error
from allos.response import ProviderResponse
from allos.runs.start import start_call
from allos.session import current_session

if TYPE_CHECKING:
    from allos.notebook.display import Display
    from allos.providers.pricing.planned_requests import Preview
    from allos.runs.comparison import Comparison

_PACKAGE = Path(__file__).parents[1]


def run(
    shell: Any, display: Display, line: str, cell: str | None, local_ns: Mapping[str, Any]
) -> Any:
    """Run one magic and return the value of its cell.

    Parameters
    ----------
    shell : InteractiveShell
    display : Display
        The shell's display formatters.
    line : str
        What follows the magic's name.
    cell : str or None
        The cell's body; None for the line form.
    local_ns : mapping
        Local variables, where the line form is used inside a function.

    Raises
    ------
    AllosError
        Its traceback is one line.
    Interrupted
        Stopped by the user; also one line.
    """
    try:
        arguments = parse(line, cell=cell is not None)
        if arguments.command is not None:
            return dispatch.run(arguments.command, arguments.rest, display)
        with _short_warnings():
            if arguments.data is not None:
                from allos.notebook.batch_cell import run_batch

                text = prompt_text(arguments, cell)
                return run_batch(shell, display, arguments, text, {**shell.user_ns, **local_ns})
            question = build_question(
                arguments, prompt_text(arguments, cell), {**shell.user_ns, **local_ns}
            )
            logged = context.current().logged and not arguments.no_log
            with (
                context.using(variables=question.variables, logged=logged),
                cell_budget(shell, arguments),
            ):
                return _answer(shell, display, arguments, question, is_cell=cell is not None)
    except AllosError as exc:
        error = exc
    raise without_traceback(error) from None


def _answer(
    shell: Any, display: Display, arguments: Arguments, question: Question, *, is_cell: bool
) -> ProviderResponse | Comparison | Preview:
    if arguments.models:
        _check_comparison_flags(arguments)
    if arguments.dry_run:
        plan = dry_run(shell, arguments, question)
        if arguments.output is not None:
            shell.user_ns[arguments.output] = plan
        return plan
    if arguments.models:
        return _compare(shell, display, arguments, question)
    return _ask(shell, display, arguments, question, is_cell=is_cell)


def _check_comparison_flags(arguments: Arguments) -> None:
    """Refuse flags that a comparison does not support, rather than ignore them."""
    flags = {
        "--chat": arguments.chat,
        "--tools": arguments.tools,
        "--unsafe-html": arguments.unsafe_html,
        "--no-stream": not arguments.stream,
    }
    for flag in [name for name, value in flags.items() if value]:
        raise ConfigurationError(f"{flag} is not supported in a comparison. Nothing was sent.")
    if arguments.blind and arguments.no_log:
        raise ConfigurationError(
            "--blind needs the log, where votes are kept: leave out --no-log. Nothing was sent."
        )


def _compare(shell: Any, display: Display, arguments: Arguments, question: Question) -> Comparison:
    """Start a comparison; it is shown as the cell's result."""
    from allos.runs.compare import compare

    shared = {"schema": question.schema} if question.schema is not None else {}
    calls = len(arguments.models) * arguments.repeats
    comparison = compare(
        question.prompt,
        models=arguments.models,
        n=arguments.repeats,
        system=question.system,
        refresh=arguments.refresh,
        blind=arguments.blind,
        confirm=prompts.comparison_confirmation(shell, calls),
        **shared,
        **arguments.params,
    )
    if arguments.output is not None:
        shell.user_ns[arguments.output] = comparison
    if arguments.quiet:
        display.hide_once(comparison)
    elif question.notes:
        sys.stdout.write("\n".join((*question.notes, "")))
    return comparison


def _ask(
    shell: Any, display: Display, arguments: Arguments, question: Question, *, is_cell: bool
) -> ProviderResponse:
    """Ask one model, within its conversation where the cell names one."""
    session = current_session()
    model = session.model_name(arguments.model)
    notes = question.notes
    messages, system, chat = as_messages(question.prompt), question.system, None
    if arguments.chat is not None:
        from allos.runs import chats

        chat = chats.open_chat(arguments.chat, from_log=not is_headless(shell))
        messages, system = chat.build_messages(question.prompt, question.system)
        notes = (note, *notes) if (note := chat.note()) else notes
    if arguments.model is None and session.settings.get("model") is None:
        notes = (f"used {model} (no model given)", *notes)
    output = LiveOutput(
        shell,
        display,
        model,
        quiet=arguments.quiet or not is_cell,
        notes=notes,
        refresh_hz=session.settings.get("refresh_hz"),
        unsafe_html=arguments.unsafe_html,
    )
    with chat.next_turn() if chat is not None else nullcontext():
        response = _response(shell, arguments, as_messages(messages, system), question, output)
        if chat is not None and not chat.add(response, system):
            sys.stderr.write(
                f"The conversation {chat.name!r} is unchanged: the answer is an open tool call.\n"
            )
    if output.is_final_shown or arguments.quiet:
        display.hide_once(response)
    return response


def _response(
    shell: Any,
    arguments: Arguments,
    messages: tuple[Message, ...],
    question: Question,
    output: LiveOutput,
) -> ProviderResponse:
    """Ask, run tools where there are some, and show the response; an error is shown and raised."""
    session = current_session()

    def send(turns: Prompt, more: Mapping[str, Any]) -> ProviderResponse:
        call = start_call(
            turns,
            model=session.model_name(arguments.model),
            params={
                **arguments.params,
                "schema": question.schema,
                "refresh": arguments.refresh,
                **more,
            },
            on_events=output.push if arguments.stream else None,
        )
        response = output.wait(call)
        if question.tools:
            output.show_tool_calls(response)
        return raise_for_error(response)

    error: ProviderError | SchemaError | Interrupted
    try:
        if question.tools:
            from allos.tools.tool_loop import ToolLoop, run_tools

            loop = ToolLoop(
                messages,
                question.tools,
                approvers=session.approvers,
                always_allowed=session.always_allowed_tools,
            )
            with tool_approval.shown_by(output.show_above):
                response = run_tools(loop, send)
        else:
            response = send(messages, {})
    except (ProviderError, SchemaError, Interrupted) as exc:
        error = exc
    else:
        # Stored before it is shown: an interrupt in between must not lose it.
        _store(shell, arguments, response)
        output.finish(response)
        return response
    if error.response is not None:
        _store(shell, arguments, error.response)
        output.finish(error.response)
        if output.is_final_shown and isinstance(error, AllosError):
            has_rule(error)
    raise error.with_traceback(None)


def _store(shell: Any, arguments: Arguments, response: ProviderResponse) -> None:
    """Assign a response to the variable of ``-o``, and to ``_`` also when the cell ends in an error."""
    if arguments.output is not None:
        shell.user_ns[arguments.output] = response
    if not response.ok or response.error is not None:
        shell.displayhook.update_user_ns(response)


@contextmanager
def _short_warnings() -> Iterator[None]:
    """Show warnings of this package as their message alone, without the path and line of its code."""
    format_warning = warnings.formatwarning

    def short(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        if Path(filename).is_relative_to(_PACKAGE):
            return f"Warning: {message}\n"
        return format_warning(message, category, filename, lineno, line)

    warnings.formatwarning = short
    try:
        yield
    finally:
        warnings.formatwarning = format_warning
