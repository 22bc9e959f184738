"""``%allos`` and ``%%allos`` as IPython sees them.

Everything behind them is imported by the first cell that uses them, so that loading the extension
costs next to nothing.
"""

from __future__ import annotations

from typing import Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)


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

            %%allos [PROVIDER MODEL | PROVIDER/MODEL] [flags]
            The prompt. {{ expression }} puts a value in; \\{{ is two literal braces.

            %%allos compare PROVIDER/MODEL PROVIDER/MODEL ... [flags]
            The prompt for all of them; each answer streams in a column of its own.

            answer = %allos PROVIDER/MODEL "The prompt" [flags]

        Without a model the configured default answers, else the embedded one.

        Flags
        -----
        -t, --temperature NUMBER   randomness, 0 and up
        --max-tokens N             most tokens to write
        -s, --system TEXT          instructions to the model
        --image NAME               show the image or figure in a variable; a path in quotes
        -o, --output NAME          put the response into this variable
        -n, --repeats N            repeats of a comparison
        -q, --quiet                show nothing
        --no-stream                wait for the whole answer
        --base-url URL             another address of the service

        Sub-commands
        ------------
        %allos providers           every service, its key's variable and whether it is set
        %allos models PROVIDER     models that a service offers
        %allos log                 where the log is
        %allos last                the newest row of the log
        %allos stop                stop every comparison under way

        The response is `_` and ``Out[n]``; it has `content`, `metadata` and more.
        """
        from allos.notebook.cell import run

        return run(self.shell, line, cell, local_ns or {})
