"""``%allos`` and ``%%allos``: parse, fill in, ask, paint. A thin shell around `allos.runs`."""

from __future__ import annotations

import os
from typing import Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from allos import context, session, template
from allos.errors import AllosError, ConfigurationError, Interrupted
from allos.notebook import commands
from allos.notebook.arguments import Arguments, parse, parser
from allos.notebook.painter import Painter
from allos.runs.ask import begin
from allos.types import ProviderResponse


@magics_class
class AllosMagics(Magics):
    """The magics of allos."""

    @no_var_expand
    @needs_local_scope
    @line_cell_magic("allos")
    def allos(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> Any:
        """Ask a language model; the answer streams into the cell and is a row of the log.

        ::

            %%allos groq llama-3.1-8b-instant -t 0.2 -o answer
            Explain {{topic}} in one sentence.

            answer = %allos groq/llama-3.1-8b-instant "Say hi"
        """
        try:
            return self._run(line, cell, local_ns or {})
        except AllosError as exc:
            raise one_line(exc) from None

    def _run(self, line: str, cell: str | None, local_ns: dict[str, Any]) -> Any:
        arguments = parse(line, cell=cell is not None)
        if arguments.command is not None:
            return commands.run(arguments.command, arguments.rest)
        text = arguments.prompt if cell is None else _without_nbval(cell)
        if text is None or not text.strip():
            where = "into the cell below" if cell is not None else 'after it, in quotes: "…"'
            raise ConfigurationError(f"There is no prompt: write it {where}. Nothing was sent.")
        namespace = {**self.shell.user_ns, **local_ns}
        prompt, variables = template.render(text.strip("\n"), namespace)
        system, in_system = template.render(arguments.system or "", namespace)
        with context.using(
            variables={**in_system, **variables},
            notebook=_notebook(self.shell),
            cell_id=_cell_id(self.shell),
            execution_count=self.shell.execution_count,
        ):
            return self._ask(arguments, prompt, system or None, paint=cell is not None)

    def _ask(
        self, arguments: Arguments, prompt: str, system: str | None, *, paint: bool
    ) -> ProviderResponse:
        model = session.model_name(arguments.model)
        notes: tuple[str, ...] = ()
        if arguments.model is None and model == session.EMBEDDED_MODEL:
            notes = (f"no model named: the embedded {model} answered",)
        painter = Painter(self.shell, model, quiet=arguments.quiet or not paint, notes=notes)
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
                self._keep(arguments, exc.response)
            raise
        self._keep(arguments, response)
        if response.error is not None:
            raise response.error.with_traceback(None)
        if not paint and not arguments.quiet:
            from allos.notebook.display import forget_painted

            forget_painted(response)
        return response

    def _keep(self, arguments: Arguments, response: ProviderResponse) -> None:
        """Put a response where the user finds it, also when the cell ends in an error."""
        if arguments.output is not None:
            self.shell.user_ns[arguments.output] = response
        if not response.ok:
            self.shell.displayhook.update_user_ns(response)


AllosMagics.allos.__doc__ = (AllosMagics.allos.__doc__ or "") + "\n" + parser().format_help()


def one_line(exc: AllosError) -> AllosError:
    """Make an error show itself as one line; the cell still fails with its own class."""
    exc._render_traceback_ = lambda: [str(exc)]  # type: ignore[attr-defined]  # IPython's protocol
    return exc.with_traceback(None)


def _without_nbval(cell: str) -> str:
    """Drop nbval's marker comments: they are for the test runner, not for the model."""
    lines = cell.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("# NBVAL_"))


def _notebook(shell: Any) -> str | None:
    path = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    return os.path.basename(path) if isinstance(path, str) and path else None


def _cell_id(shell: Any) -> str | None:
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent() or {}
    cell_id = (parent.get("metadata") or {}).get("cellId")
    return cell_id if isinstance(cell_id, str) else None
