"""Output of a playground: the static version, and over it the live one.

The static version is what a saved notebook keeps: the code that does the same, and the table of every
comparison. It is updated as answers come in, and hidden while the live playground is in the page.
"""

from __future__ import annotations

from typing import Any

from allos.notebook.comparison_output import StaticTable
from allos.notebook.front_end import is_colab, is_interactive
from allos.notebook.mime_bundles import MAX_SAVED_ROWS, Bundle, comparison_bundle
from allos.render.plain import clean_text
from allos.runs.comparison import Comparison
from allos.runs.playground import Playground


def show(shell: Any, playground: Playground) -> bool:
    """Show a playground; False, and nothing, where nobody could use it.

    On Colab, messages of a background thread may not arrive: there the static version has the code.
    """
    if not is_interactive(shell) or is_colab():
        return False
    from allos.notebook.playground.widget import make_playground

    box = make_playground(playground)
    runs = _Runs(playground)
    table = StaticTable(shell, runs, lambda: playground_bundle(playground, box.own_class))
    table.publish()
    data, metadata = shell.display_formatter.format(box)
    if data:  # a widget of ipywidgets 7 has shown itself
        data["text/plain"] = ""
        shell.display_pub.publish(data, metadata)

    def follow(comparison: Comparison) -> None:
        comparison.watch(table.update_soon)
        table.update_soon()

    for comparison in playground.comparisons:
        follow(comparison)
    box.watchers.append(follow)
    return True


def playground_bundle(playground: Playground, own_class: str = "") -> Bundle:
    """The code that does the same, and the tables of what was run."""
    from allos.log.notebook_rows import rows_metadata
    from allos.render.playground_card import playground_card

    tables = [comparison_bundle(each)[0] for each in list(playground.comparisons)]
    responses = [each.response for each in _Runs(playground).cells if each.response is not None]
    html = [playground_card(playground.as_code(), own_class)]
    text = [clean_text(str(playground))]
    return {
        "text/html": "".join([*html, *(each["text/html"] for each in tables)]),
        "text/plain": "\n\n".join([*text, *(each["text/plain"] for each in tables)]),
    }, rows_metadata(responses if len(responses) <= MAX_SAVED_ROWS else [])


class _Runs:
    """All comparisons of a playground, as one source of a static table."""

    def __init__(self, playground: Playground) -> None:
        self._playground = playground

    @property
    def answers_version(self) -> tuple[int, ...]:
        """Another one whenever a response arrives."""
        return tuple(each.answers_version for each in self._playground.comparisons)

    @property
    def done(self) -> bool:
        """Whether every call has its response."""
        return all(each.done for each in self._playground.comparisons)

    @property
    def cells(self) -> list[Any]:
        """All calls."""
        return [cell for each in self._playground.comparisons for cell in each.cells]
