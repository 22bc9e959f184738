"""The live view of a chart: its picture in the page's colours, whose marks can be selected.

The static picture is shown first, since it is what a saved notebook keeps; where JupyterLab shows the live view,
that hides it. The page gets the picture as a checked SVG and draws nothing itself: there is no script of a
plotting library, and no text of a chart is read as markup.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from allos.notebook.live_view import show_over

NAME = "allos-chart"


def show_chart(shell: Any, chart: Any) -> bool:
    """Show the static picture and the live view; False where nobody could select anything.

    Parameters
    ----------
    shell : InteractiveShell
    chart : allos.charts.chart.Chart or allos.charts.chart.Panels
    """
    return show_over(shell, chart._repr_mimebundle_(), NAME, lambda: make_view(chart))


def make_view(chart: Any) -> Any:
    """Live view of a chart, an anywidget.

    Parameters
    ----------
    chart : allos.charts.chart.Chart or allos.charts.chart.Panels
    """
    return _view_class()(chart)


@cache
def _view_class() -> type[Any]:
    """Return the widget's class; made when first used, since its base classes are slow to import."""
    import anywidget
    import traitlets

    class ChartView(anywidget.AnyWidget):
        """One chart; `selected` has the numbers of its marks."""

        _esm = _source("js")
        _css = _source("css")
        svg = traitlets.Unicode().tag(sync=True)
        selected = traitlets.List(traitlets.Int()).tag(sync=True)

        def __init__(self, chart: Any) -> None:
            self._marks = chart.marks
            super().__init__(svg=chart.page_svg(), selected=sorted(self._marks.selected))
            self.observe(self._select, names="selected")

        def _select(self, _: Any) -> None:
            self._marks.selected = frozenset(self.selected)

        def __repr__(self) -> str:
            return "ChartView()"

    return ChartView


def _source(kind: str) -> str:
    from allos.render.tokens import declare

    text = files("allos.notebook").joinpath(f"chart_view.{kind}").read_text("utf-8")
    if kind == "js":
        return text
    return f".{NAME}{{{declare(text='var(--allos-ink)')}--allos-ink:var(--jp-ui-font-color1,currentColor)}}{text}"
