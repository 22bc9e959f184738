"""The data of a batch: anything that is a table, as a frame, and its rows as text for the prompt."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError, TemplateError
from allos.prompt_data import data_text

if TYPE_CHECKING:
    import pandas as pd

_READERS = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".jsonl": "JSONL",
    ".ndjson": "JSONL",
    ".parquet": "Parquet",
}


_EVALUATE = ("collect", "compute")
"""What lazy frames, of polars and of Dask, call having their rows."""


def as_frame(data: Any) -> pd.DataFrame:
    """Return data as a DataFrame of its own: later changes of the data are not seen.

    Parameters
    ----------
    data : DataFrame, Series, table, list of dicts, str or path-like
        A frame of pandas or polars, an Arrow table, a dataset of Hugging Face, anything with
        ``to_pandas()``; rows as dicts; or the path of a CSV, JSONL or Parquet file.

    Raises
    ------
    ConfigurationError
        It is none of these, has no rows, or two columns have one name.
    """
    frame = _read(data)
    names = [str(name) for name in frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"The data has more than one column {twice!r}. Nothing was sent.")
    if frame.empty:
        lacks = "columns" if len(frame) else "rows"
        raise ConfigurationError(f"The data has no {lacks}. Nothing was sent.")
    frame.columns = names
    return frame


def _read(data: Any) -> pd.DataFrame:
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data.copy()
    if isinstance(data, pd.Series):
        return data.to_frame(name=data.name if data.name is not None else "value")
    if isinstance(data, str | os.PathLike):
        return _read_file(Path(data))
    to_pandas = getattr(data, "to_pandas", None)
    if callable(to_pandas):
        found = to_pandas()
        if isinstance(found, pd.DataFrame):
            return found
    if hasattr(data, "__arrow_c_stream__"):
        import pyarrow as pa

        table: pd.DataFrame = pa.table(data).to_pandas()
        return table
    evaluate = next(filter(callable, (getattr(data, name, None) for name in _EVALUATE)), None)
    if evaluate is not None:
        return _read(evaluate())
    if isinstance(data, Mapping) and any(map(_is_table, data.values())):
        names = ", ".join(map(repr, data))
        raise ConfigurationError(
            f"The data has several tables: choose one of {names}, data[{next(iter(data))!r}]. "
            "Nothing was sent."
        )
    if isinstance(data, Mapping) or (
        isinstance(data, Sequence) and all(isinstance(row, Mapping) for row in data)
    ):
        try:
            return pd.DataFrame(data)
        except ValueError as exc:
            raise ConfigurationError(f"The data is not a table: {exc}. Nothing was sent.") from None
    kind = type(data).__name__
    if isinstance(data, Sequence):
        other = next(row for row in data if not isinstance(row, Mapping))
        kind = f"{kind} with {type(other).__name__}"
    raise ConfigurationError(
        "The data must be a DataFrame, another table, a list of dicts, or the path of a CSV, JSONL or "
        f"Parquet file, got {kind}. Nothing was sent."
    )


def _is_table(value: Any) -> bool:
    """Whether a value is a table, such as a split of a dataset, and not a column."""
    return hasattr(value, "to_pandas") and hasattr(value, "column_names")


def _read_file(path: Path) -> pd.DataFrame:
    import pandas as pd

    kind = _READERS.get(path.suffix.lower())
    if kind is None and "{{" in str(path):
        raise ConfigurationError(
            "The data come before the prompt: (data, 'Classify: {{ text }}', ...). Nothing was sent."
        )
    if kind is None:
        raise ConfigurationError(
            f"{path.name!r} is not the path of a file with data: its name must end in "
            f"{', '.join(_READERS)}. Nothing was sent."
        )
    try:
        if kind == "JSONL":
            return pd.DataFrame(list(_json_lines(path)))
        if kind == "CSV":
            return pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ",")
        return pd.read_parquet(path)
    except (OSError, ValueError, ImportError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        first = (reason.strip() or type(exc).__name__).splitlines()[0]
        raise ConfigurationError(
            f"{str(path)!r} cannot be read as {kind}: {first:.200}. Nothing was sent."
        ) from None


def _json_lines(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as exc:
                raise ValueError(f"line {number}: {exc}") from None
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is not an object")
            yield row


class DataRows:
    """Rows of a frame for a `Grid`: by column, the text that stands in the prompt.

    The texts of a column are made when they are first needed, all at once.

    Parameters
    ----------
    frame : pandas.DataFrame
        From `as_frame`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = DataRows(pd.DataFrame({"text": ["a", "b"], "score": [1, 2]}))
    >>> len(rows), rows[1]["score"]
    (2, '2')
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.names: tuple[str, ...] = tuple(frame.columns)
        self._texts: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, row: int) -> Mapping[str, str]:
        return _Row(self, row)

    def texts(self, name: str) -> list[str]:
        """Text of every row of a column.

        Raises
        ------
        TemplateError
            A value is missing, or cannot stand in a prompt.
        """
        found = self._texts.get(name)
        if found is None:
            found = self._texts[name] = self._read_texts(name)
        return found

    def _read_texts(self, name: str) -> list[str]:
        column = self.frame[name]
        missing = column.isna()
        if missing.any():
            count, first = int(missing.sum()), self.frame.index[int(missing.to_numpy().argmax())]
            first = getattr(first, "item", lambda: first)()  # 20, not np.int64(20)
            rows = "1 row has" if count == 1 else f"{count:,} rows have"
            raise TemplateError(
                f"{{{{ {name} }}}}: {rows} no value in this column, the first at index {first!r}. Leave "
                f"them out with data.dropna(subset=[{name!r}]), or fill them. Nothing was sent."
            )
        return [_text(name, value) for value in column.tolist()]


class _Row(Mapping[str, str]):
    """One row, by column."""

    __slots__ = ("_row", "_rows")

    def __init__(self, rows: DataRows, row: int) -> None:
        self._rows = rows
        self._row = row

    def __getitem__(self, name: str) -> str:
        if name not in self._rows.names:
            raise KeyError(name)
        return self._rows.texts(name)[self._row]

    def __iter__(self) -> Any:
        return iter(self._rows.names)

    def __len__(self) -> int:
        return len(self._rows.names)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    try:
        data = data_text(value)
    except ConfigurationError as exc:
        raise TemplateError(f"{{{{ {name} }}}}: {exc}. Nothing was sent.") from None
    return str(value) if data is None else data.text
