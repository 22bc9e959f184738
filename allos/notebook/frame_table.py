"""``df.allos.show()`` in a notebook: a table of itables over the static one.

All texts go to the page shortened and escaped: what stands in a prompt or an answer stays text there.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError
from allos.notebook.front_end import is_interactive
from allos.notebook.live_view import show_over
from allos.notebook.mime_bundles import frame_view_bundle
from allos.render.data_table import DataTable, table_html
from allos.render.plain import clean_text, shorten

if TYPE_CHECKING:
    import pandas as pd

    from allos.runs.frame_view import FrameView

NAME = "allos-table"
_ALL_CHARS = 3_000_000
"""Of all texts of one table together, about."""
_FEWEST_CHARS, _MOST_CHARS = 80, 2_000
"""Of one text."""
_PAGE_ROWS = 10
_LARGE = 1_000
"""From here on numbers have one digit behind the point, not four in all."""
_WORDS: Any = {
    "info": "_START_ to _END_ of _TOTAL_ rows",
    "infoEmpty": "no rows",
    "infoFiltered": "(of _MAX_)",
    "emptyTable": "no rows",
    "zeroRecords": "no such rows",
    "lengthMenu": "_MENU_ rows a page",
    "search": "",
    "searchPlaceholder": "search all columns",
    "select": {"rows": {"_": "%d selected", "0": "", "1": "1 selected"}},
}


def show_frame(shell: Any, view: FrameView) -> bool:
    """Show the static table and the live one; False where nobody could use the live one.

    Without itables, the static one and a line that says what to install.
    """
    static = frame_view_bundle(view)
    try:
        _table_class()
    except ConfigurationError as missing:
        if is_interactive(shell):
            shell.display_pub.publish(static)
            line = DataTable(title=str(missing), heads=(), rows=())
            shell.display_pub.publish({"text/html": table_html(line), "text/plain": str(missing)})
            return True
    return show_over(shell, (static, {}), NAME, lambda: make_table(view))


def make_table(view: FrameView) -> Any:
    """Live table, an anywidget.

    Parameters
    ----------
    view : FrameView

    Raises
    ------
    ConfigurationError
        itables is not installed.
    """
    return _table_class()(view)


def plain_values(frame: pd.DataFrame) -> pd.DataFrame:
    """Frame whose cells a page can sort and show.

    Fractions have four digits; numbers of a column with gaps are text, and all else is short text in one line.
    """
    import pandas as pd

    kept = numeric_columns(frame)
    texts = max(1, kept.count(False) * len(frame))
    chars = max(_FEWEST_CHARS, min(_MOST_CHARS, _ALL_CHARS // texts))
    columns = [
        _numbers(frame.iloc[:, at])
        if is_number
        else frame.iloc[:, at].map(lambda value: _text(value, chars)).astype(object)
        for at, is_number in enumerate(kept)
    ]
    made = pd.concat(columns, axis=1) if columns else frame[[]]
    made.columns = pd.Index([shorten(clean_text(str(name)), 80) for name in frame.columns])
    made.index = pd.Index([_text(label, _FEWEST_CHARS) for label in frame.index], name="")
    return made


def numeric_columns(frame: pd.DataFrame) -> list[bool]:
    """Whether each column holds real numbers."""
    from pandas.api.types import is_complex_dtype, is_numeric_dtype

    return [is_numeric_dtype(kind) and not is_complex_dtype(kind) for kind in frame.dtypes]


def _numbers(column: pd.Series) -> pd.Series:
    """Numbers to read; null is empty, which a column of numbers cannot hold. The page sorts both as numbers."""
    import pandas as pd

    values = list(column)
    if column.dtype.kind == "f":
        values = [value if _is_null(value) else _short(float(value)) for value in values]
    if not column.isna().any():
        return pd.Series(values, index=column.index, dtype=column.dtype)
    texts = ["" if _is_null(value) else str(value).removesuffix(".0") for value in values]
    return pd.Series(texts, index=column.index, dtype=object)


def _short(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < _LARGE else round(value, 1)


def _is_null(value: Any) -> bool:
    import pandas as pd

    return value is None or bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _text(value: Any, chars: int) -> str:
    if _is_null(value):
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    # Before it is cleaned: an answer may have megabytes.
    return shorten(" ".join(clean_text(str(value)[: 2 * chars]).split()), chars)


@cache
def _table_class() -> type[Any]:
    """Return the widget's class; made when first used, since its base classes are slow to import."""
    try:
        from itables.widget import ITable
    except ImportError:
        raise ConfigurationError(
            "To sort and filter, show() needs itables: run pip install 'allos-jupyter[table]'."
        ) from None

    class FrameTable(ITable):
        """Table of one frame; rows can be selected."""

        # Theirs is a path; anywidget takes a text as well.
        _css: Any = f"{files('itables.widget').joinpath('static/widget.css').read_text('utf-8')}\n{_own_css()}"

        def __init__(self, view: FrameView) -> None:
            self._view = view
            frame = plain_values(view.shown)
            super().__init__(
                frame,
                caption=view.note or None,
                allow_html=False,
                classes="display compact",
                style="table-layout:auto;width:100%;margin:0;caption-side:bottom",
                maxBytes=0,
                maxRows=0,
                maxColumns=0,
                showIndex=True,
                select=True,
                order=[],
                pageLength=_PAGE_ROWS,
                lengthMenu=[10, 25, 50, 100],
                columnControl=["order", "searchDropdown"],
                ordering={"indicators": False, "handler": False},
                layout={
                    "topStart": "info",
                    "topEnd": "search",
                    "bottomStart": "pageLength",
                    "bottomEnd": "paging",
                },
                language=_WORDS,
                columnDefs=self._alignment(view.shown),
            )
            self.add_class(NAME)
            self.observe(self._select, names="selected_rows")

        @staticmethod
        def _alignment(frame: Any) -> list[dict[str, Any]]:
            # The index is the first column.
            numbers = [at + 1 for at, is_number in enumerate(numeric_columns(frame)) if is_number]
            return [{"targets": numbers, "className": "dt-right"}] if numbers else []

        def _select(self, _: Any) -> None:
            self._view.selected = frozenset(self.selected_rows)

        def __repr__(self) -> str:
            return "FrameTable()"

    return FrameTable


def _own_css() -> str:
    from allos.render.tokens import declare

    text = files("allos.notebook").joinpath("frame_table.css").read_text("utf-8")
    return f".{NAME}{{{declare(text='var(--allos-ink)')}--allos-ink:var(--jp-ui-font-color1,currentColor)}}{text}"
