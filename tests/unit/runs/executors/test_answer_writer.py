from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from allos.context import RunContext
from allos.errors import LogError
from allos.response import ProviderResponse
from allos.runs.executors import answer_writer
from allos.runs.executors.answer_files import AnswerFiles
from allos.runs.executors.answer_writer import AnswerWriter

pytest.importorskip("fsspec")
pytest.importorskip("pyarrow")

FACTS: dict[str, Any] = {}


def response(number: int, **values: Any) -> ProviderResponse:
    values = {"id": f"0{number}", "created_at": datetime.now(UTC), **values}
    return ProviderResponse(context=RunContext(run_id="bat_x"), **values)


def test_what_cannot_be_written_is_kept_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer is in one file, and all are given back; an odd one stops no other."""
    files = AnswerFiles(str(tmp_path), "bat_x")
    writer = AnswerWriter(files, "P1")

    def away(*_: Any) -> str:
        raise LogError("cannot write to the store")

    with monkeypatch.context() as patched:
        patched.setattr(AnswerFiles, "write", away)
        writer.add(response(1))
        writer.write(FACTS)
        assert writer.error == "cannot write to the store"
    writer.add(response(2, id=None))
    writer.add(response(3, created_at="never"))
    writer.write(FACTS)
    writer.write(FACTS)

    assert writer.error is None
    assert len(files.names("P1")) == 1
    assert [row[0] for row in files.read(files.names()[0])] == [row[0] for row in writer.rows]
    assert len(writer.rows) == 2
    assert AnswerWriter(files, "P1").earlier() == writer.rows
    assert AnswerWriter(files, "P2").earlier() == []


def test_it_writes_when_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds, and nothing where nothing has come."""
    clock = iter([0.0, 9.0, 10.0, 10.0, 25.0, 25.0])
    monkeypatch.setattr(answer_writer, "monotonic", lambda: next(clock))
    files = AnswerFiles(str(tmp_path), "bat_x")
    writer = AnswerWriter(files, "P1")
    writer.add(response(1))
    written = []
    for _ in range(3):
        writer.write_due(FACTS)
        written.append(len(files.names()))

    assert written == [0, 1, 1]
