"""``%allos`` and ``%%allos`` as IPython sees them, and what ``%config AllosMagics`` sets.

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
from traitlets import CaselessStrEnum, Float, Int, Unicode, observe, validate

_SETTINGS = (
    "model",
    "temperature",
    "max_tokens",
    "log",
    "replay",
    "replay_mode",
    "budget_usd",
    "refresh_hz",
)


@magics_class
class AllosMagics(Magics):
    """The magics of allos. None leaves a setting to your files and environment: ``%allos config``."""

    model = Unicode(
        None, allow_none=True, help="Model of cells that name none, as provider/model."
    ).tag(config=True)
    temperature = Float(None, allow_none=True, help="Temperature of cells that name none.").tag(
        config=True
    )
    max_tokens = Int(
        None, allow_none=True, help="Most tokens to write, for cells that do not say."
    ).tag(config=True)
    log = Unicode(None, allow_none=True, help="File of the log, or off.").tag(config=True)
    replay = Unicode(
        None, allow_none=True, help="File of recorded answers, beside the notebook."
    ).tag(config=True)
    replay_mode = CaselessStrEnum(
        ("replay", "record", "strict", "off"),
        None,
        allow_none=True,
        help="replay asks on a miss, record always asks, strict fails on a miss.",
    ).tag(config=True)
    budget_usd = Float(
        None,
        allow_none=True,
        help="US dollars that this kernel may spend; calls that could pass it are not sent.",
    ).tag(config=True)
    refresh_hz = Float(
        None, allow_none=True, help="How often a second a streaming answer is painted, at most."
    ).tag(config=True)

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        told = {name: value for name in _SETTINGS if (value := getattr(self, name)) is not None}
        if told:
            _configure(told)

    @validate(*_SETTINGS)
    def _checked(self, proposal: dict[str, Any]) -> Any:
        if proposal["value"] is None:
            return None
        from allos.errors import ConfigurationError
        from allos.notebook.cell import one_line
        from allos.settings import checked

        try:
            return checked(proposal["trait"].name, proposal["value"])
        except ConfigurationError as exc:
            error = one_line(exc)
        raise error

    @observe(*_SETTINGS)
    def _changed(self, change: dict[str, Any]) -> None:
        _configure({change["name"]: change["new"]})

    def forget(self) -> None:
        """Take back what was set here."""
        told = [name for name in _SETTINGS if getattr(self, name) is not None]
        if told:
            _configure(dict.fromkeys(told))

    @no_var_expand
    @needs_local_scope
    @line_cell_magic("allos")
    def allos(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> Any:
        """Ask a language model; the answer streams into the cell and is a row of the log.

        ::

            %%allos [NAME <<] [PROVIDER MODEL | PROVIDER/MODEL] [flags]
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
        --params JSON              any other parameters: {"top_p": 0.5, "stop": ["END"]}
        --strict                   refuse parameters that the model does not take
        --schema NAME              type or JSON schema that the answer must match
        --tools A,B                functions that the model may call; asks before it runs them
        --image NAME               show the image or figure in a variable; a path in quotes
        --chat NAME                go on with the conversation of this name
        -n, --repeats N            repeats of a comparison
        -o, --output NAME          put the response into this variable; NAME << does the same
        -q, --quiet                show nothing
        --no-stream                wait for the whole answer
        --dry-run                  show the request and what it may cost; send nothing
        --budget USD               most that this cell may spend
        --refresh                    ask again, whatever is recorded
        --unsafe-html              run the answer's own HTML; only for answers that you trust
        --base-url URL             another address of the service

        Sub-commands
        ------------
        %allos providers           every service, its key's variable and whether it is set
        %allos models PROVIDER     models that a service offers
        %allos key PROVIDER        type a key in, unseen
        %allos log                 where the log is
        %allos last                the newest row of the log
        %allos chats               conversations; reset NAME, branch NAME NEW, show NAME
        %allos replay FILE [MODE]  record answers and replay them; MODE is replay, record or strict;
                                   off closes the file, prune removes unused answers
        %allos config              settings in force, and who set them
        %allos doctor              check keys, log, embedded model and versions
        %allos stop                stop every comparison under way
        %allos help                this text

        The response is `_` and ``Out[n]``; it has `content`, `metadata` and more.
        """
        from allos.errors import Interrupted

        try:
            from allos.notebook.cell import run

            return run(self.shell, line, cell, local_ns or {})
        except Interrupted:
            raise
        except KeyboardInterrupt:  # while something was loaded, filled in or asked of the person
            stopped = Interrupted("Interrupted: no call was under way.")
        raise stopped from None


def _configure(changes: dict[str, Any]) -> None:
    from allos.session import configure

    configure(**changes)
