"""Outputs with playgrounds: the static version, and over it the live one.

The static version is what a saved notebook keeps: the code that does the same, and the table of every
comparison. It is updated as answers come in, and hidden while the live one is in the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allos.ids import new_id
from allos.notebook.front_end import is_colab, is_interactive
from allos.notebook.mime_bundles import MAX_SAVED_ROWS, Bundle, comparison_bundle
from allos.notebook.playground.widget import make_board_box, make_playground
from allos.notebook.static_table import StaticTable
from allos.render.plain import clean_text
from allos.runs.board_messages.source import BoardSource
from allos.runs.comparison import Comparison
from allos.runs.playground import Playground


def show(shell: Any, playground: Playground) -> bool:
    """Show a playground; False, and nothing, where nobody could use it.

    On Colab, messages of a background thread may not arrive: there the static version has the code.
    """
    if not is_interactive(shell) or is_colab():
        return False
    output = PlaygroundOutput()
    box = make_playground(playground, output)
    table = StaticTable(shell, output, output.bundle)
    table.publish()
    data, metadata = shell.display_formatter.format(box)
    if data:  # a widget of ipywidgets 7 has shown itself
        data["text/plain"] = ""
        shell.display_pub.publish(data, metadata)
    output.follow(table.update_soon)
    return True


def playground_bundle(playground: Playground, own_class: str = "") -> Bundle:
    """The code that does the same, and the tables of what was run."""
    from allos.log.notebook_rows import rows_metadata
    from allos.render.playground_card import playground_card

    comparisons = list(playground.comparisons)
    tables = [comparison_bundle(each)[0] for each in comparisons]
    open_ones = [each for each in comparisons if not each.is_blind]
    responses = [cell.response for each in open_ones for cell in each.cells]
    arrived = [response for response in responses if response is not None]
    html = [playground_card(playground.as_code(), own_class)]
    text = [clean_text(str(playground))]
    return {
        "text/html": "".join([*html, *(each["text/html"] for each in tables)]),
        "text/plain": "\n\n".join([*text, *(each["text/plain"] for each in tables)]),
    }, rows_metadata(arrived if len(arrived) <= MAX_SAVED_ROWS else [])


class PlaygroundOutput:
    """All playgrounds of one output, as one source of its static table."""

    def __init__(self) -> None:
        self._playgrounds: list[tuple[Playground, str]] = []
        self._watchers: list[Callable[[], None]] = []

    def add(self, playground: Playground) -> str:
        """Note that a playground is shown; returns the class by which it finds its static version."""
        own_class = f"allos-pg-{new_id().lower()}"
        self._playgrounds.append((playground, own_class))
        for comparison in playground.comparisons:
            self.add_run(comparison)
        return own_class

    def add_run(self, comparison: Comparison) -> None:
        """Note that a comparison was started."""
        for watcher in self._watchers:
            comparison.watch(watcher)
            watcher()

    def follow(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever something has changed, from now on."""
        self._watchers.append(watcher)
        for comparison in self._comparisons():
            comparison.watch(watcher)
        watcher()

    def bundle(self) -> Bundle:
        """The static version."""
        return _joined([playground_bundle(*each) for each in list(self._playgrounds)])

    def _comparisons(self) -> list[BoardSource]:
        return [
            each for playground, _ in list(self._playgrounds) for each in playground.comparisons
        ]

    @property
    def answers_version(self) -> tuple[object, ...]:
        """Another one whenever a response arrives."""
        return tuple(each.answers_version for each in self._comparisons())

    @property
    def done(self) -> bool:
        """Whether every call has its response."""
        return all(each.done for each in self._comparisons())

    @property
    def cells(self) -> list[Any]:
        """All calls."""
        return [cell for each in self._comparisons() for cell in each.cells]


class EditedOutput(PlaygroundOutput):
    """The board of a comparison, and the playgrounds that were opened from it.

    Attributes
    ----------
    widget : ipywidgets.VBox
        The live version.
    """

    def __init__(self, comparison: BoardSource) -> None:
        super().__init__()
        self._comparison = comparison
        self.widget = make_board_box(comparison, self)

    def bundle(self) -> Bundle:
        """The static version."""
        bundles = [comparison_bundle(self._comparison)]
        bundles += [playground_bundle(*each) for each in list(self._playgrounds)]
        return _joined(bundles)

    def _comparisons(self) -> list[BoardSource]:
        return [self._comparison, *super()._comparisons()]


def _joined(bundles: list[Bundle]) -> Bundle:
    """Several outputs as one; the rows of the first that has some are kept."""
    data = {name: "".join(each[name] for each, _ in bundles) for name in bundles[0][0]}
    if len(bundles) > 1:
        data["text/plain"] = "\n\n".join(each["text/plain"] for each, _ in bundles)
    return data, next((metadata for _, metadata in bundles if metadata), {})
