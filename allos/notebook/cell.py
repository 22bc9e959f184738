"""One use of ``%allos`` or ``%%allos``: parse, fill in, ask, paint. A thin shell around `runs`."""

from __future__ import annotations

import sys
from typing import Any

from allos import context, session, template
from allos.errors import AllosError, ConfigurationError, Interrupted
from allos.notebook import commands
from allos.notebook.arguments import Arguments, parse
from allos.notebook.display import mark_painted
from allos.notebook.painter import Painter
from allos.notebook.values import Values, picture
from allos.parts import Image, Part
from allos.runs.ask import begin
from allos.runs.compare import Comparison, compare
from allos.types import Prompt, ProviderResponse


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
            return commands.run(arguments.command, arguments.rest)
        return _question(shell, arguments, cell, local_ns)
    except AllosError as exc:
        error = exc
    raise one_line(error) from None


def _question(
    shell: Any, arguments: Arguments, cell: str | None, local_ns: dict[str, Any]
) -> ProviderResponse | Comparison:
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
    prompt: Prompt = [*images, *pieces] or ""
    notes = tuple(values.notes)
    with context.using(variables={**in_system, **variables}):
        if arguments.models:
            return _compare(shell, arguments, prompt, system, notes)
        return _ask(shell, arguments, prompt, system, notes, paint=cell is not None)


def _compare(
    shell: Any, arguments: Arguments, prompt: Prompt, system: str | None, notes: tuple[str, ...]
) -> Comparison:
    """Start a comparison; the cell's result shows it."""
    comparison = compare(
        prompt, models=arguments.models, n=arguments.repeats, system=system, **arguments.params
    )
    if arguments.output is not None:
        shell.user_ns[arguments.output] = comparison
    if arguments.quiet:
        mark_painted(comparison)
    elif notes:
        sys.stdout.write("\n".join((*notes, "")))
    return comparison


def _ask(
    shell: Any,
    arguments: Arguments,
    prompt: Prompt,
    system: str | None,
    notes: tuple[str, ...],
    *,
    paint: bool,
) -> ProviderResponse:
    model = session.model_name(arguments.model)
    if arguments.model is None and model == session.EMBEDDED_MODEL:
        notes = (f"no model named: the embedded {model} answered", *notes)
    painter = Painter(shell, model, quiet=arguments.quiet or not paint, notes=notes)
    call = begin(
        prompt,
        model=model,
        system=system,
        params=arguments.params,
        emit=painter.put if arguments.stream else None,
    )
    try:
        response = painter.follow(call)
    except Interrupted as exc:
        if exc.response is not None:
            _keep(shell, arguments, exc.response)
        raise
    _keep(shell, arguments, response)
    if response.error is not None:
        raise response.error.with_traceback(None)
    if painter.painted or arguments.quiet:
        mark_painted(response)
    return response


def _keep(shell: Any, arguments: Arguments, response: ProviderResponse) -> None:
    """Put a response where the user finds it, also when the cell ends in an error."""
    if arguments.output is not None:
        shell.user_ns[arguments.output] = response
    if not response.ok:
        shell.displayhook.update_user_ns(response)


def one_line(exc: AllosError) -> AllosError:
    """Make an error show itself as one line; the cell still fails with its own class."""
    exc._render_traceback_ = lambda: [str(exc)]  # type: ignore[attr-defined]  # IPython's protocol
    return exc.with_traceback(None)


def without_nbval(cell: str) -> str:
    """Drop nbval's marker comments: they are for the test runner, not for the model."""
    if "# NBVAL_" not in cell:
        return cell
    lines = cell.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("# NBVAL_"))
