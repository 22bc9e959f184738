"""How one shell shows responses, comparisons, frames and charts that are the result of a cell.

The formatters are registered by the class's name, so that loading the extension does not import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos.notebook import mime_bundles
from allos.notebook.front_end import is_interactive

if TYPE_CHECKING:
    from allos.response import ProviderResponse
    from allos.runs.batching.live_batch import Batch
    from allos.runs.comparison import Comparison
    from allos.runs.evaluation import Evaluation
    from allos.runs.logged_comparison import LoggedComparison
    from allos.runs.playground import Playground

_RESPONSE = ("allos.response", "ProviderResponse")
_COMPARISON = ("allos.runs.comparison", "Comparison")
_LOGGED = ("allos.runs.logged_comparison", "LoggedComparison")
_RERUN = ("allos.runs.rerun", "Rerun")
_BATCH = ("allos.runs.batching.live_batch", "Batch")
_EVALUATION = ("allos.runs.evaluation", "Evaluation")
_BATCH_PREVIEW = ("allos.runs.batching.batch_preview", "BatchPreview")
_PREVIEW = ("allos.providers.pricing.planned_requests", "Preview")
_REPORT = ("allos.runs.doctor", "Report")
_REPLAY = ("allos.replaying.replay", "Replay")
_FRAMES = (("pandas", "DataFrame"), ("pandas.core.frame", "DataFrame"))
"""A class's module is what it says of itself: pandas 3 and pandas 2."""
_CHARTS = (("allos.charts.chart", "Chart"), ("allos.charts.chart", "Panels"))
_PLAYGROUND = ("allos.runs.playground", "Playground")
_FRAME_VIEW = ("allos.runs.frame_view", "FrameView")
_HIDEABLE = (_RESPONSE, _COMPARISON, _BATCH)


class Display:
    """Display formatters of one shell, and what they must know of its cells.

    Parameters
    ----------
    shell : InteractiveShell
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._notes: dict[str, tuple[str, ...]] = {}
        self._hidden: set[str] = set()
        self._logged: set[str] = set()
        self._enabled_formatter = False
        self._show: Any = None  # IPython's own hook for the result of a cell

    def hide_once(self, result: ProviderResponse | Comparison | Batch) -> None:
        """Do not show a cell's result: its magic has shown it already, or was asked to be quiet."""
        if result.id is not None:
            self._hidden.add(result.id)

    def add_notes(self, response: ProviderResponse, notes: tuple[str, ...]) -> None:
        """Facts for the footer of a response that will be shown as its cell's result."""
        if notes and response.id is not None:
            self._notes[response.id] = notes

    def add_logged(self, response: ProviderResponse, notes: tuple[str, ...]) -> None:
        """Facts for the footer of a response of the log; a saved notebook gets no second row of it."""
        self.add_notes(response, notes)
        if response.id is not None:
            self._logged.add(response.id)

    def register_formatters(self) -> None:
        """Add the formatters alone: all that results need when no magic shows or hides them."""
        for name, formatter, show in self._formatters():
            formatter.for_type_by_name(*name, show)

    def register(self) -> None:
        """Add the formatters to the shell, and what hides results."""
        formatter = self._shell.display_formatter.ipython_display_formatter
        # Off in a terminal before IPython 8: no comparison could wait, no result be hidden.
        if not formatter.enabled:
            self._enabled_formatter = formatter.enabled = True
        self.register_formatters()
        trap = self._shell.display_trap
        self._show, trap.hook = trap.hook, self._show_result

    def unregister(self) -> None:
        """Remove the formatters from the shell."""
        if self._enabled_formatter:
            self._shell.display_formatter.ipython_display_formatter.enabled = False
            self._enabled_formatter = False
        if self._show is not None:
            self._shell.display_trap.hook, self._show = self._show, None
        for name, formatter, _ in self._formatters():
            formatter.deferred_printers.pop(name, None)
            for known in [kind for kind in formatter.type_printers if _name(kind) == name]:
                del formatter.type_printers[known]

    def _formatters(self) -> list[tuple[tuple[str, str], Any, Any]]:
        first = self._shell.display_formatter.ipython_display_formatter
        # Not the formatter of one MIME type: only a whole bundle can have metadata of its own.
        second = self._shell.display_formatter.mimebundle_formatter
        return [
            (_RESPONSE, first, self._skip_hidden),
            (_RESPONSE, second, self._response),
            (_COMPARISON, first, self._board),
            (_COMPARISON, second, mime_bundles.comparison_bundle),
            (_LOGGED, first, self._logged_board),
            (_RERUN, first, lambda rerun: self._logged_board(rerun.board)),
            (_PLAYGROUND, first, self._playground),
            (_PLAYGROUND, second, self._playground_bundle),
            (_BATCH, first, self._batch),
            (_BATCH, second, mime_bundles.batch_bundle),
            (_EVALUATION, first, self._evaluation),
            (_EVALUATION, second, mime_bundles.evaluation_bundle),
            (_BATCH_PREVIEW, second, mime_bundles.batch_preview_bundle),
            (_PREVIEW, second, mime_bundles.preview_bundle),
            (_REPORT, second, mime_bundles.report_bundle),
            (_REPLAY, second, mime_bundles.replay_bundle),
            *((name, second, mime_bundles.frame_bundle) for name in _FRAMES),
            *((name, first, self._chart) for name in _CHARTS),
            (_FRAME_VIEW, first, self._frame_view),
            (_FRAME_VIEW, second, mime_bundles.frame_view_bundle),
        ]

    def _show_result(self, result: Any = None) -> None:
        """Show the result of a cell; of a hidden one a terminal would print ``Out[n]:`` alone."""
        # The kind first: the `id` of a frame is a column.
        if _name(type(result)) in _HIDEABLE and result.id in self._hidden:
            self._hidden.discard(result.id)
            hook = self._shell.displayhook
            hook.update_user_ns(result)
            hook.fill_exec_result(result)
        elif self._show is not None:
            self._show(result)

    def _skip_hidden(self, result: ProviderResponse | Comparison | Batch) -> None:
        if result.id in self._hidden:
            self._hidden.discard(str(result.id))
            return
        raise NotImplementedError  # IPython goes on to the next formatter

    def _response(self, response: ProviderResponse) -> mime_bundles.Bundle:
        bundle, rows = mime_bundles.response_bundle(
            response, self._notes.get(response.id or "", ())
        )
        return bundle, {} if response.id in self._logged else rows

    def _chart(self, chart: Any) -> None:
        from allos.notebook.chart_view import show_chart

        if not show_chart(self._shell, chart):
            raise NotImplementedError  # the static picture alone

    def _frame_view(self, view: Any) -> None:
        from allos.notebook.frame_table import show_frame

        if not show_frame(self._shell, view):
            raise NotImplementedError  # the static table alone

    def _board(self, comparison: Comparison) -> None:
        from allos.notebook.comparison_output import show

        if comparison.id not in self._hidden:
            if is_interactive(self._shell) and not comparison.from_replay():
                show(self._shell, comparison)
                return
            # Replayed, or headless, where a later update of the output would be lost.
            comparison.wait()
        self._skip_hidden(comparison)

    def _logged_board(self, comparison: LoggedComparison) -> None:
        from allos.notebook.comparison_output import show

        if not is_interactive(self._shell):
            raise NotImplementedError  # its static table
        show(self._shell, comparison)

    def _playground(self, playground: Playground) -> None:
        from allos.notebook.playground.output import show

        if not show(self._shell, playground):
            raise NotImplementedError  # its static version

    def _playground_bundle(self, playground: Playground) -> mime_bundles.Bundle:
        from allos.notebook.playground.output import playground_bundle

        return playground_bundle(playground)

    def _batch(self, batch: Batch) -> None:
        from allos.notebook.batch_output import show

        if batch.id not in self._hidden:
            if is_interactive(self._shell):
                show(self._shell, batch)
                return
            batch.wait(progress=False)  # a later update of the output would be lost
        self._skip_hidden(batch)

    def _evaluation(self, evaluation: Evaluation) -> None:
        from allos.notebook.batch_output import show

        batch = evaluation.batch
        if is_interactive(self._shell):
            show(self._shell, batch, lambda: mime_bundles.evaluation_bundle(evaluation))
            return
        batch.wait(progress=False)
        raise NotImplementedError  # IPython goes on to the next formatter


def _name(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__name__
