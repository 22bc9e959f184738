"""Answers of a batch as Parquet files in a folder or an object store that all workers reach.

For workers that have no log in common: each writes what it has as files of its own, which the process that
started the batch takes into its log. See ``docs/explanation/cluster.md``.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from allos.database_url import DatabaseURL
from allos.errors import ConfigurationError, LogError
from allos.ids import new_id
from allos.log.clean_values import clean_row
from allos.log.columns import STORED, STORED_NAMES

T = TypeVar("T")
Row = tuple[Any, ...]
"""Values in the order of `allos.log.columns.STORED`."""

_END = ".parquet"
_MARKS = "marks"
_URL = re.compile(r"[a-z][a-z0-9+.-]*:(//|:)", re.I)
_CREDENTIALS = re.compile(r"://[^/@]*:[^/@]*@|[?&](\w*(pass|secret|token|key|sig)\w*)=", re.I)
_RUN, _ID = STORED_NAMES.index("run_id"), STORED_NAMES.index("id")


def checked_address(value: object) -> str:
    """Return the address of a store: the path of a folder, or a URL that fsspec knows.

    Raises
    ------
    ConfigurationError
        It is none, it holds a key, or a package for it is not installed.
    """
    if not isinstance(value, str | os.PathLike) or not str(value).strip():
        raise ConfigurationError(
            f"store must be a folder or a URL such as 's3://bucket/team', got {value!r:.80}. Nothing was sent."
        )
    address = os.fspath(value).strip()
    if DatabaseURL.matches(address):
        raise ConfigurationError(
            "store is for workers without a database: with one, allos.log.open('postgresql://…') is all. "
            "Nothing was sent."
        )
    if _CREDENTIALS.search(address):
        raise ConfigurationError(
            "store must be a URL without keys or passwords, since it goes to the workers: each finds its own in its "
            "environment. Nothing was sent."
        )
    if not _URL.match(address):
        address = str(Path(address).expanduser().absolute())
    try:
        import pyarrow  # noqa: F401  # tells before anything is sent
        from fsspec.core import url_to_fs

        url_to_fs(address)
    except (ImportError, ValueError) as exc:
        missing = getattr(exc, "name", None)
        remedy = (
            "python -m pip install 'allos-jupyter[object-store]'"
            if missing in ("pyarrow", "fsspec")
            else " ".join(str(exc).split())
        )
        raise ConfigurationError(f"store={address!r:.80}: {remedy}. Nothing was sent.") from None
    return address


class AnswerFiles:
    """The files of one batch. Any thread; what it does blocks.

    Parameters
    ----------
    address : str
        As `checked_address` returns it.
    run_id : str
        Of the batch, whose files are in a folder of their own.

    Raises
    ------
    LogError
        Of each method: the store cannot be read or written.
    """

    def __init__(self, address: str, run_id: str) -> None:
        self.address = address
        self.run_id = run_id

    @cached_property
    def _place(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(self.address)
        folder = quote(self.run_id, safe="").replace(".", "%2E")
        return system, f"{root.rstrip('/')}/{folder}"

    def write(self, key: str, rows: Sequence[Row]) -> str:
        """Write answers of a partition as one file, all or nothing; returns its name."""
        name = f"{key}-{new_id()}{_END}"
        data = _to_parquet(rows)

        def put() -> None:
            system, folder = self._place
            system.makedirs(folder, exist_ok=True)
            # Who lists the folder meanwhile sees no half of it.
            part = f"{folder}/{name}.part"
            system.pipe_file(part, data)
            system.mv(part, f"{folder}/{name}")

        self._do("write to", put)
        return name

    def names(self, key: str = "") -> list[str]:
        """Names of the files, or of those of one partition, oldest first."""
        return [name for name in self._listed("") if name.endswith(_END) and name.startswith(key)]

    def read(self, name: str) -> list[Row]:
        """Answers in a file; rows that are not of this batch are left out."""

        def get() -> bytes:
            system, folder = self._place
            return bytes(system.cat_file(f"{folder}/{name}"))

        data = self._do("read", get)
        try:
            rows = _from_parquet(data)
        except Exception as exc:  # noqa: BLE001  # whatever somebody has put there
            raise LogError(
                f"{name!r} in the store {self.address!r} is not a file of answers: {_reason(exc)}"
            ) from None
        return [row for row in rows if row[_RUN] == self.run_id and isinstance(row[_ID], str)]

    # ---- marks, as a log has them: see `allos.runs.executors.stop_marks` --------------------------

    def set_run_note(self, run_id: str, name: str, value: bytes | None) -> None:
        """Leave a mark."""

        def put() -> None:
            system, folder = self._place
            system.makedirs(f"{folder}/{_MARKS}", exist_ok=True)
            system.pipe_file(f"{folder}/{_MARKS}/{quote(name, safe='')}", value or b"")

        self._do("write to", put)

    def run_notes(self, run_id: str) -> Mapping[str, bytes]:
        """Names of the marks."""
        return {unquote(name): b"" for name in self._listed(f"/{_MARKS}")}

    def _listed(self, under: str) -> list[str]:
        def get() -> list[str]:
            system, folder = self._place
            system.invalidate_cache()  # others write
            try:
                found = system.ls(folder + under, detail=False)
            except FileNotFoundError:
                return []
            return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

        return self._do("read", get)

    def _do(self, what: str, work: Callable[[], T]) -> T:
        try:
            return work()
        except Exception as exc:  # noqa: BLE001  # each file system raises what it likes
            raise LogError(f"cannot {what} the store {self.address!r}: {_reason(exc)}") from None


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split()):.200}"


def _kind(dtype: str) -> Any:
    import pyarrow as pa

    kinds = {
        "Int64": pa.int64(),
        "Float64": pa.float64(),
        "boolean": pa.bool_(),
        "datetime64[us, UTC]": pa.timestamp("us", tz="UTC"),
    }
    return kinds.get(dtype, pa.string())


def _to_parquet(rows: Sequence[Row]) -> bytes:
    """Rows as a file that pandas, polars and DuckDB read, with the types of the log's frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for column, values in zip(STORED, zip(*map(clean_row, rows), strict=True), strict=True):
        if column.dtype == "boolean":
            values = tuple(None if value is None else bool(value) for value in values)
        arrays[column.name] = pa.array(values, type=_kind(column.dtype))
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer, compression="zstd")
    return buffer.getvalue()


def _from_parquet(data: bytes) -> list[Row]:
    """Rows of a file, also of another version of allos: columns that it does not have are null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    columns = []
    for column in STORED:
        if column.name not in table.column_names:
            columns.append([None] * table.num_rows)
            continue
        values = table[column.name]
        if column.sql_type == "INTEGER":
            values = values.cast(pa.int64())
        columns.append(values.to_pylist())
    return [clean_row(row) for row in zip(*columns, strict=True)]
