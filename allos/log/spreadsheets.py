"""Frames as files for a spreadsheet program, in which nothing that a model wrote is a formula."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError

if TYPE_CHECKING:
    import pandas as pd
    from openpyxl.worksheet.worksheet import Worksheet

_MAX_CELL_CHARS = 32_767
"""Of a cell in Excel."""
_MAX_WIDTH = 60
_CUT = " … (cut: a cell of Excel holds no more)"

# What Excel, LibreOffice and Google Sheets take for the start of a formula, wide forms included.
_STARTS = "=+\\-@\uff0b\uff1d\uff0d\uff20"
# At the start of the text, after what programs skip there.
_FORMULA = re.compile(rf"[\s\x00-\x1f\x7f\u200b-\u200f\u2060\ufeff]*[{_STARTS}]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d+)*|[.,]\d+)([eE][+-]?\d+)?\s*%?")
# Where a program with other separators begins a cell: inside the text. A dash and a space are a list.
_INNER_FORMULA = re.compile(
    r"""([;,|\t\r\n]["' \u200b-\u200f\u2060\ufeff]*)(?=[=@\uff1d\uff20]|[+\-\uff0b\uff0d][^\s\d-])"""
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def plain_text(text: str) -> str:
    """Text that a spreadsheet program reads as text: what would be a formula begins with an apostrophe.

    Numbers stay as they are. A line or a part of the text that another program may take for a cell of
    its own (it expects another separator) is treated alike.

    Examples
    --------
    >>> plain_text('=HYPERLINK("http://a.example", "Total")')[:12]
    "'=HYPERLINK("
    >>> plain_text("-5"), plain_text("- a list"), plain_text("2 + 2 = 4")
    ('-5', "'- a list", '2 + 2 = 4')
    """
    if _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return _INNER_FORMULA.sub(r"\1'", text)


def write_csv(frame: pd.DataFrame, path: str | Path, *, index: bool = False) -> Path:
    """Write a frame as CSV, in UTF-8 with a mark that Excel recognises. See `plain_text`.

    Parameters
    ----------
    frame : pandas.DataFrame
        It is not changed.
    path : str or pathlib.Path
        Replaced if it exists.
    index : bool
        Whether the index becomes columns.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigurationError
        The file cannot be written.
    """
    target = Path(path).expanduser()
    safe = _with_text(frame.reset_index() if index else frame, plain_text)
    safe.columns = [plain_text(str(name)) for name in safe.columns]
    try:
        # RFC 4180 ends lines so; with another end a text with a carriage return is not quoted.
        safe.to_csv(
            target, index=False, encoding="utf-8-sig", errors="replace", lineterminator="\r\n"
        )
    except OSError as exc:
        raise _not_written(target, exc) from None
    return target


def write_excel(frame: pd.DataFrame, path: str | Path, *, index: bool = False) -> Path:
    """Write a frame as an Excel workbook, in which every text is text.

    Times are in UTC, since Excel knows no time zones; a text longer than a cell is cut and says so.

    Parameters
    ----------
    frame : pandas.DataFrame
        It is not changed.
    path : str or pathlib.Path
        ``.xlsx``; replaced if it exists.
    index : bool
        Whether the index becomes columns.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ConfigurationError
        The file cannot be written, is no ``.xlsx``, or openpyxl is not installed.
    """
    import pandas as pd

    target = Path(path).expanduser()
    if target.suffix.lower() != ".xlsx":
        raise ConfigurationError(
            f"{target.name} is not an Excel workbook: name it {target.stem}.xlsx."
        )
    try:
        import openpyxl  # noqa: F401 - pandas uses it
    except ImportError:
        raise ConfigurationError(
            "Excel files need openpyxl: run pip install 'allos-jupyter[excel]', or use to_csv()."
        ) from None
    safe = _with_text(frame.reset_index() if index else frame, _cell_text)
    safe.columns = [_cell_text(str(name)) for name in safe.columns]
    for position, dtype in enumerate(safe.dtypes):
        if isinstance(dtype, pd.DatetimeTZDtype):
            naive = safe.iloc[:, position].dt.tz_convert("UTC").dt.tz_localize(None)
            safe.isetitem(position, naive)
    try:
        with pd.ExcelWriter(target, engine="openpyxl") as writer:
            safe.to_excel(writer, sheet_name="responses", index=False)
            _finish(writer.sheets["responses"])
    except OSError as exc:
        raise _not_written(target, exc) from None
    return target


def _finish(sheet: Worksheet) -> None:
    """Make every text a text, and the sheet one that can be read."""
    for column in sheet.iter_cols():
        widest = 0
        for cell in column:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # openpyxl takes what begins with = for a formula
                cell.quotePrefix = True  # and so does Excel, once it is edited
                widest = max(widest, len(cell.value))
        letter = column[0].column_letter  # type: ignore[union-attr] # no merged cells
        sheet.column_dimensions[letter].width = min(max(widest + 2, 10), _MAX_WIDTH)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _with_text(frame: pd.DataFrame, clean: Callable[[str], str]) -> pd.DataFrame:
    """Return a copy in which every text, and every object as its text, is cleaned."""
    import pandas as pd

    copy = frame.copy(deep=False)
    for position, dtype in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or dtype.kind in "mMb"):
            values = [_cleaned(value, clean) for value in frame.iloc[:, position]]
            copy.isetitem(position, pd.Series(values, index=frame.index, dtype=object).array)
    return copy


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    import pandas as pd

    if isinstance(value, bool | int | float) or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return value
    return clean(value if isinstance(value, str) else str(value))


def _cell_text(text: str) -> str:
    text = _NOT_IN_XML.sub("\ufffd", text)
    return text if len(text) <= _MAX_CELL_CHARS else text[: _MAX_CELL_CHARS - len(_CUT)] + _CUT


def _not_written(path: Path, exc: OSError) -> ConfigurationError:
    return ConfigurationError(f"{path} was not written: {exc.strerror or exc}.")
