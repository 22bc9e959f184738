"""One use of ``%allos`` or ``%%allos``: parse, fill in, ask, paint. A thin shell around `runs`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos import context, template
from allos.errors import (
    AllosError,
    ConfigurationError,
    Interrupted,
    ProviderError,
    SchemaError,
)
from allos.messages import Message, Prompt, as_messages
from allos.notebook import cell_budget, prompts
from allos.notebook.arguments import Arguments, parse
from allos.notebook.commands import dispatch
from allos.notebook.display import mark_painted
from allos.notebook.live_output import LiveOutput
from allos.notebook.values import Values, picture, schema_of, tool_of
from allos.parts import Image, Part
from allos.providers.waiting import checked
from allos.response import ProviderResponse
from allos.runs import chats
from allos.runs.compare import compare
from allos.runs.comparison import Comparison
from allos.runs.start import start_call
from allos.session import current_session
from allos.tools.tool_loop import ToolLoop, run_tools

if TYPE_CHECKING:
    from allos.providers.pricing.planned_requests import Preview


_OURS = Path(__file__).parents[1]


def run(shell: Any, line: str, cell: str | None, local_ns: dict[str, Any]) -> Any:
    """Do what the line and the cell ask for, and return what the cell evaluates to.

    Parameters
    ----------
    shell : InteractiveShell
    line : str
        What follows the magic's name.
    cell : str or None
        The cell's body; None for the line form.
    local_ns : dict
        Local variables, where the line form stands inside a function.

    Raises
    ------
    AllosError
        Shows itself as one line.
    Interrupted
        Stopped by the user; also one line.
    """
    try:
        arguments = parse(line, cell=cell is not None)
        if arguments.command is not None:
            return dispatch.run(arguments.command, arguments.rest)
        with _plain_warnings():
            return _question(shell, arguments, cell, local_ns)
    except AllosError as exc:
        error = exc
    raise one_line(error) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a cell asks, filled in from the namespace."""

    prompt: Prompt
    system: str | None
    schema: Any = None
    tools: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()
    """Quiet remarks for the footer."""


def _question(
    shell: Any, arguments: Arguments, cell: str | None, local_ns: dict[str, Any]
) -> ProviderResponse | Comparison | Preview:
    # IPython ends every cell with a newline; that one is not the user's.
    text = arguments.prompt if cell is None else without_nbval(cell).removesuffix("\n")
    if text is None or not text.strip():
        where = "into the cell below" if cell is not None else 'after it, in quotes: "…"'
        raise ConfigurationError(f"There is no prompt: write it {where}. Nothing was sent.")
    namespace = {**shell.user_ns, **local_ns}
    values = Values()
    pieces: list[Part]
    pieces, variables = template.fill(text, namespace, values.convert)
    told, in_system = template.fill(arguments.system or "", namespace, values.convert)
    system = "".join(piece for piece in told if isinstance(piece, str)) or None
    if any(not isinstance(piece, str) for piece in told):
        raise ConfigurationError("--system takes text only. Nothing was sent.")
    # Models read best what they have seen before the question.
    images = [
        Image(path=word.text) if word.quoted else picture(word.text, namespace)
        for word in arguments.images
    ]
    question = Question(
        prompt=[*images, *pieces] or "",
        system=system,
        schema=None if arguments.schema is None else schema_of(arguments.schema, namespace),
        tools=tuple(tool_of(name, namespace) for name in arguments.tools),
        notes=tuple(values.notes),
    )
    if arguments.models:
        _one_model_only(arguments)
    with context.using(variables={**in_system, **variables}), cell_budget.limit(shell, arguments):
        if arguments.dry_run:
            plan = cell_budget.plan(arguments, question)
            if arguments.output is not None:
                shell.user_ns[arguments.output] = plan
            return plan
        if arguments.models:
            return _compare(shell, arguments, question)
        return _ask(shell, arguments, question, paint=cell is not None)


def _one_model_only(arguments: Arguments) -> None:
    """Refuse what a comparison does not do, rather than leave it out unsaid."""
    given = {
        "--chat": arguments.chat,
        "--tools": arguments.tools,
        "--unsafe-html": arguments.unsafe_html,
        "--no-stream": not arguments.stream,
    }
    for flag in [name for name, value in given.items() if value]:
        raise ConfigurationError(f"{flag} takes one model, not a comparison. Nothing was sent.")


def _compare(shell: Any, arguments: Arguments, question: Question) -> Comparison:
    """Start a comparison; the cell's result shows it."""
    shared = {"schema": question.schema} if question.schema is not None else {}
    comparison = compare(
        question.prompt,
        models=arguments.models,
        n=arguments.repeats,
        system=question.system,
        refresh=arguments.refresh,
        confirm=prompts.of_comparison(shell, len(arguments.models) * arguments.repeats),
        **shared,
        **arguments.params,
    )
    if arguments.output is not None:
        shell.user_ns[arguments.output] = comparison
    if arguments.quiet:
        mark_painted(comparison)
    elif question.notes:
        sys.stdout.write("\n".join((*question.notes, "")))
    return comparison


def _ask(shell: Any, arguments: Arguments, question: Question, *, paint: bool) -> ProviderResponse:
    model = current_session().model_name(arguments.model)
    notes = question.notes
    messages, system, chat = as_messages(question.prompt), question.system, None
    if arguments.chat is not None:
        chat = chats.chat(arguments.chat)
        messages, system = chat.build_messages(question.prompt, question.system)
        notes = (note, *notes) if (note := chat.note()) else notes
    if arguments.model is None and current_session().settings.get("model") is None:
        notes = (f"no model named: the embedded {model} answered", *notes)
    painter = LiveOutput(
        shell,
        model,
        quiet=arguments.quiet or not paint,
        notes=notes,
        refresh_hz=current_session().settings.get("refresh_hz"),
        unsafe_html=arguments.unsafe_html,
    )
    with chat.call_context() if chat is not None else nullcontext():
        response = _answer(shell, arguments, as_messages(messages, system), question, painter)
    if chat is not None and not chat.add(response, system):
        sys.stderr.write(
            f"The conversation {chat.name!r} was left as it was: the answer is a call of a tool.\n"
        )
    if painter.painted or arguments.quiet:
        mark_painted(response)
    return response


def _answer(
    shell: Any,
    arguments: Arguments,
    messages: tuple[Message, ...],
    question: Question,
    painter: LiveOutput,
) -> ProviderResponse:
    """Ask, run tools where there are some, and paint; an error is painted, kept and raised."""

    def send(turns: Prompt, more: Mapping[str, Any]) -> ProviderResponse:
        call = start_call(
            turns,
            model=current_session().model_name(arguments.model),
            params={
                **arguments.params,
                "schema": question.schema,
                "refresh": arguments.refresh,
                **more,
            },
            on_events=painter.put if arguments.stream else None,
        )
        response = painter.follow(call)
        if question.tools:
            painter.called(response)
        return checked(response)

    failed: ProviderError | SchemaError | Interrupted
    try:
        if question.tools:
            response = run_tools(
                ToolLoop(messages, question.tools, approvers=current_session().approvers), send
            )
        else:
            response = send(messages, {})
    except (ProviderError, SchemaError, Interrupted) as exc:
        failed = exc
    else:
        # StoredKey before it is shown: a stop in between would lose it.
        _keep(shell, arguments, response)
        painter.finish(response)
        return response
    if failed.response is not None:
        _keep(shell, arguments, failed.response)
        painter.finish(failed.response)
    raise failed.with_traceback(None)


def _keep(shell: Any, arguments: Arguments, response: ProviderResponse) -> None:
    """Put a response where the user finds it, also when the cell ends in an error."""
    if arguments.output is not None:
        shell.user_ns[arguments.output] = response
    if not response.ok or response.error is not None:
        shell.displayhook.update_user_ns(response)


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show a warning of ours as its sentence; the path and line of our code tell nobody anything."""
    usual = warnings.formatwarning

    def plain(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        if Path(filename).is_relative_to(_OURS):
            return f"Warning: {message}\n"
        return usual(message, category, filename, lineno, line)

    warnings.formatwarning = plain
    try:
        yield
    finally:
        warnings.formatwarning = usual


def one_line(exc: AllosError) -> AllosError:
    """Make an error show itself as one line; the cell still fails with its own class."""
    from allos.render.answer import error_text

    # A server's words may stand in it, and a terminal would obey them.
    text = " ".join(line.strip() for line in error_text(str(exc)).splitlines())
    exc._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]  # IPython's protocol
    return exc.with_traceback(None)


def without_nbval(cell: str) -> str:
    """Drop nbval's marker comments: they are for the test runner, not for the model."""
    if "# NBVAL_" not in cell:
        return cell
    lines = cell.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("# NBVAL_"))
