"""The playground's widget: what is typed is its state, and one thread plans and runs.

The page never interprets a text: names of models, columns and errors are shown as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import Any, Protocol

from allos.errors import ConfigurationError
from allos.notebook.board.widget import Flusher, make_board
from allos.notebook.playground import page_state
from allos.providers.model_choices import ModelChoice, describe_model, list_models, model_choices
from allos.runs.board_messages.source import BoardSource
from allos.runs.comparison import Comparison
from allos.runs.playground import Plan, Playground
from allos.runs.playground_draft import Draft, one_line
from allos.runs.playground_edit import edit

_PROGRESS = 24
"""Of larger comparisons the list of runs is not updated with every answer: their board is."""


@dataclass(slots=True)
class _Work:
    """What the page has asked for and the thread has not done yet."""

    draft: Mapping[str, Any] | None = None
    """The newest fields; earlier ones need no plan."""
    searches: list[Mapping[str, Any]] = field(default_factory=list)
    runs: list[bool] = field(default_factory=list)
    """Whether each was confirmed."""
    listing: list[str] = field(default_factory=list)
    """Services to ask for their models."""


class Output(Protocol):
    """The output in which a playground is shown."""

    def add(self, playground: Playground) -> str:
        """Note that a playground is shown; returns the class by which it finds its static version."""

    def add_run(self, comparison: Comparison) -> None:
        """Note that a comparison was started."""


def make_playground(playground: Playground, output: Output) -> Any:
    """Live playground, ready to be displayed: its fields, and below them a board for each run.

    Parameters
    ----------
    playground : Playground
    output : Output

    Returns
    -------
    ipywidgets.VBox
    """
    return _box_class()(playground, output)


def make_board_box(comparison: BoardSource, output: Output) -> Any:
    """Live board, below which its Edit opens a playground.

    Returns
    -------
    ipywidgets.VBox
    """
    return _board_box_class()(comparison, output)


@cache
def _panel_class() -> type[Any]:
    """Return the widget's class; made when first used, since its base classes are slow to import."""
    import anywidget
    import traitlets

    class PlaygroundPanel(anywidget.AnyWidget):
        """The fields of one playground."""

        _esm = _static("playground.js")
        _css = f"{_shared_css()}\n{_static('playground.css')}"
        draft = traitlets.Dict().tag(sync=True)
        facts = traitlets.Dict().tag(sync=True)
        plan = traitlets.Dict().tag(sync=True)
        runs: Any = traitlets.List().tag(sync=True)
        notice = traitlets.Unicode().tag(sync=True)
        question = traitlets.Unicode().tag(sync=True)
        """What a run that needs confirmation would send."""

        def __init__(self, playground: Playground, own_class: str, on_run: Any) -> None:
            self.playground = playground
            self._on_run = on_run
            self._work = _Work()
            self._lock = Lock()  # guards the work: the page's messages come on any thread
            self._plan: Plan | None = None
            self._watched: set[str] = set()
            self._flusher = Flusher(self._step)
            super().__init__(
                draft={**playground.draft.to_page(), "revision": 0},
                facts=page_state.facts(playground, own_class),
                runs=page_state.run_states(playground.comparisons),
            )
            for comparison in playground.comparisons:
                self._watch(comparison)
            self.observe(self._on_draft, names="draft")
            self.on_msg(self._on_message)
            self._add(draft=self.draft)

        # ---- what the page says: any thread ------------------------------------------------------

        def _on_draft(self, change: Any) -> None:
            self._add(draft=change["new"])

        def _on_message(self, _panel: Any, message: Any, _buffers: Any) -> None:
            if not isinstance(message, dict):
                return
            match message.get("action"):
                case "models":
                    self._add(search=message)
                case "list":
                    self._add(listing=str(message.get("provider", "")))
                case "run":
                    self._add(draft=message.get("draft"), run=message.get("confirmed") is True)
                case "stop":
                    for comparison in list(self.playground.comparisons):
                        comparison.cancel()
                case "dismiss":
                    self.notice = self.question = ""

        def _add(
            self,
            *,
            draft: Any = None,
            search: Mapping[str, Any] | None = None,
            run: bool | None = None,
            listing: str = "",
        ) -> None:
            with self._lock:
                if isinstance(draft, Mapping):
                    self._work.draft = draft
                if search is not None:
                    self._work.searches = [search]  # nobody waits for the earlier one
                if run is not None:
                    self._work.runs.append(run)
                if listing:
                    self._work.listing.append(listing)
            self._flusher.wake()

        # ---- what is done: the flusher's thread ----------------------------------------------------

        def _step(self) -> bool:
            with self._lock:
                work, self._work = self._work, _Work()
            try:
                self.playground.in_context(lambda: self._do(work))
            except Exception as exc:  # noqa: BLE001 - shown nowhere else
                with suppress(Exception):  # the kernel may be ending
                    self.notice = f"That did not work: {one_line(exc)}"
            return True

        def _do(self, work: _Work) -> None:
            for search in work.searches:
                self._search(str(search.get("query", ""))[:200], search.get("number"))
            if work.draft is not None:
                self._make_plan(work.draft)
            try:
                for confirmed in work.runs:
                    self._run(confirmed)
            finally:
                if work.runs:
                    self.send({"type": "ran"})
            for provider in work.listing:
                self._list(provider)
            self.runs = page_state.run_states(self.playground.comparisons)

        def _search(self, query: str, number: Any) -> None:
            says = ""
            found = model_choices(query)
            if not found and "/" in query:
                try:
                    describe_model(query)
                except ConfigurationError as exc:
                    says = str(exc)
            self.send(
                {
                    "type": "models",
                    "number": number,
                    "items": [page_state.choice_state(each) for each in found],
                    "says": says,
                }
            )

        def _make_plan(self, draft: Mapping[str, Any]) -> None:
            playground = self.playground
            playground.draft = Draft.from_page(draft)
            revision = draft.get("revision")
            self._plan = playground.plan()
            models = [_described(each.name) for each in playground.draft.models]
            self.plan = page_state.plan_state(
                self._plan, models, revision if isinstance(revision, int) else 0
            )

        def _run(self, confirmed: bool) -> None:
            plan = self._plan
            if plan is None or not plan.can_run:
                return  # the plan says why
            preview = plan.preview
            if preview is not None and preview.is_large and not confirmed:
                self.question = f"{preview.size()}."
                return
            self.notice = self.question = ""
            comparison = self.playground.run()
            self._watch(comparison)
            self._on_run(comparison)

        def _list(self, provider: str) -> None:
            try:
                list_models(provider)
            finally:
                self.send({"type": "listed"})

        def _watch(self, comparison: Comparison) -> None:
            def changed() -> None:  # loop thread
                if comparison.done or len(comparison.cells) <= _PROGRESS:
                    self._flusher.wake()

            comparison.watch(changed)

        def close(self) -> None:
            """Stop planning and remove the fields from the page; what runs continues."""
            self._flusher.close()
            super().close()

        def __repr__(self) -> str:
            return "PlaygroundPanel()"

    return PlaygroundPanel


@cache
def _box_class() -> type[Any]:
    import ipywidgets

    class PlaygroundBox(ipywidgets.VBox):
        """The fields of a playground, and the boards of its runs, the newest last."""

        def __init__(self, playground: Playground, output: Output) -> None:
            self._output = output
            self.panel = _panel_class()(playground, output.add(playground), self._add_board)
            self._shown = [
                self.panel,
                *(make_board_box(run, output) for run in playground.comparisons),
            ]
            super().__init__(children=tuple(self._shown), layout=_layout())
            self.add_class("allos-box")

        def _add_board(self, comparison: Comparison) -> None:
            self._shown.append(make_board_box(comparison, self._output))
            self.children = tuple(self._shown)
            self._output.add_run(comparison)

        def __repr__(self) -> str:
            return repr(self.panel.playground)

    return PlaygroundBox


@cache
def _board_box_class() -> type[Any]:
    import ipywidgets

    class BoardBox(ipywidgets.VBox):
        """A board, and below it the playground that its Edit has opened."""

        def __init__(self, comparison: BoardSource, output: Output) -> None:
            self._output = output
            self.board = make_board(comparison, on_edit=self._edit)
            self.playground: Any = None
            super().__init__(children=(self.board,), layout=_layout())
            self.add_class("allos-box")

        def _edit(self) -> None:
            if self.playground is None:
                self.playground = make_playground(edit(self.board.comparison), self._output)
                self.children = (self.board, self.playground)

        def __repr__(self) -> str:
            return repr(self.board)

    return BoardBox


def _layout() -> Any:
    import ipywidgets

    return ipywidgets.Layout(overflow="visible")


def _described(name: str) -> ModelChoice | None:
    try:
        return describe_model(name)
    except ConfigurationError:
        return None


def _static(name: str) -> str:
    return files("allos.notebook.playground").joinpath("static", name).read_text("utf-8")


def _shared_css() -> str:
    from allos.render.tokens import column_colours, declare

    slots = column_colours(".allos-playground .c", ".allos-playground .s")
    return f".allos-playground{{{declare(text='var(--allos-ink)')}}}{slots}"
