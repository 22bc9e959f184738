from __future__ import annotations

import sys
from pathlib import Path

import pytest

import allos
import allos.log
from allos.errors import ConfigurationError
from tests.support.log_rows import a_response, record


@pytest.fixture
def log(log_path: Path) -> Path:
    allos.log.open(log_path)
    record(a_response(1), a_response(2, metadata={"cost_usd": 0.5}))
    return log_path


@pytest.mark.parametrize("rows", [0, 2])
def test_an_arrow_table(log: Path, rows: int) -> None:
    """Columns, types and nulls are those of the frame, with rows and without."""
    pa = pytest.importorskip("pyarrow", reason="Arrow needs pyarrow")
    table = allos.responses(format="arrow", limit=rows)

    assert isinstance(table, pa.Table)
    assert table.column_names == list(allos.responses().columns)
    assert table.schema.field("created_at").type == pa.timestamp("us", "UTC")
    assert table.schema.field("input_tokens").type == pa.int64()
    assert table.schema.field("cost_usd").type == pa.float64()
    assert table["cost_usd"].to_pylist() == [None, 0.5][:rows]
    assert table.schema.metadata is None


def test_a_polars_frame(log: Path) -> None:
    """The same rows, to be used with polars' own expressions."""
    pytest.importorskip("pyarrow", reason="polars reads Arrow")
    pl = pytest.importorskip("polars", reason="polars is not installed")
    frame = allos.responses(format="polars", columns=["content", "cost_usd"])

    assert isinstance(frame, pl.DataFrame)
    assert frame.filter(pl.col("cost_usd") > 0)["content"].to_list() == ["Answer 2"]


@pytest.mark.parametrize("name", ["Arrow", "parquet", None, 5])
def test_an_unknown_format_is_one_line(log: Path, name: str) -> None:
    """The known ones are named."""
    with pytest.raises(ConfigurationError, match="must be one of pandas, arrow, polars"):
        allos.responses(format=name)  # type: ignore[call-overload]


def test_a_missing_package_is_one_line(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match="needs pyarrow: python -m pip install pyarrow"):
        allos.responses(format="polars")
