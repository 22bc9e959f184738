"""Rows in a saved notebook, and the frame that comes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allos
from allos.context import RunContext
from allos.errors import AuthenticationError, LogError
from allos.log.columns import DTYPES, NAMES
from allos.log.frame import frame_of
from allos.log.notebook_rows import KEY, PRIVATE_COLUMNS, from_notebook, rows_metadata
from allos.messages import Message, MessageRole, ToolCall
from allos.parts import File, Image
from allos.response import ProviderResponse
from tests.support.dtypes import TEXT, named
from tests.support.log_rows import a_response
from tests.support.pictures import PNG


def book(path: Path, *metadata: Any) -> Path:
    """A notebook with one output for each metadata, as JupyterLab writes it."""
    outputs = [
        {"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": each}
        for each in metadata
    ]
    cells = [{"cell_type": "markdown", "source": "# x"}, {"cell_type": "code", "outputs": outputs}]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}), encoding="utf-8")
    return path


def same(found: pd.DataFrame, responses: list[ProviderResponse]) -> None:
    """The frame is the responses' own, but for what stays in the log."""
    wanted = frame_of(responses)
    for name in PRIVATE_COLUMNS:
        wanted[name] = pd.array([None] * len(wanted), dtype=TEXT)
    pd.testing.assert_frame_equal(found, wanted)


def test_rows_come_back_whole(tmp_path: Path) -> None:
    """Every column but user and host is what the log has, whatever a response holds."""
    rich = a_response(
        2,
        content="a\x00b \ud800 \U0001f600 **x**\r\n",
        reasoning="hm",
        refusal="no",
        replayed=True,
        tool_calls=[ToolCall("1", "f", {"x": [1, None]}), ToolCall("2", "g", {}, "{", "bad")],
        error=AuthenticationError("the key was not accepted"),
        metadata={
            "status": "error",
            "seed": 2**60 + 1,
            "cost_usd": 1.23e-7,
            "retry_log": [{"attempt": 1}],
        },
        context=RunContext(
            session_id="s",
            notebook="a.ipynb",
            cell_id="c",
            execution_count=3,
            comparison_id="cmp_1",
            sample_index=0,
            variables={"topic": "tides"},
            tags=("a",),
            metadata={"n": 1},
        ),
    )
    responses = [
        a_response(1),
        rich,
        a_response(3, metadata={"temperature": None}, created_at=None),
    ]
    path = book(tmp_path / "a.ipynb", *map(rows_metadata, [[r] for r in responses]))

    same(from_notebook(path), [responses[2], *responses[:2]])


def test_no_number_is_null(tmp_path: Path) -> None:
    """JSON has no NaN; as in the log, it is null."""
    response = a_response(1, metadata={"latency_s": float("nan")})
    frame = from_notebook(book(tmp_path / "a.ipynb", rows_metadata([response])))

    assert frame["latency_s"].isna().all()


def test_rows_of_a_comparison_share_what_is_alike(tmp_path: Path) -> None:
    """One output holds all rows; what they have in common stands there once."""
    responses = [a_response(n, prompt="the very same words") for n in range(3)]
    metadata = rows_metadata(responses)

    assert json.dumps(metadata).count("the very same words") == 1
    assert json.dumps(metadata).count("api.groq.com") == 1
    same(from_notebook(book(tmp_path / "a.ipynb", metadata)), responses)


@pytest.mark.parametrize(
    "messages",
    [
        (Message(MessageRole.USER, "x"),),
        (Message(MessageRole.USER, ["look", Image(data=PNG), "there"]),),
        (Message(MessageRole.USER, Image(data=PNG)),),
        (Message(MessageRole.USER, ["x", File(data=b"text", name="n.txt")]),),
        (
            Message("system", "a"),
            Message("system", ""),
            Message("system", "b"),
            Message("user", ""),
        ),
        (Message("user", "a"), Message("assistant", None), Message("tool", "t", tool_call_id="1")),
        (Message("assistant", "only this"),),
    ],
    ids=["text", "image", "image_alone", "file", "systems", "tools", "no_user"],
)
def test_prompt_and_system_are_exact(tmp_path: Path, messages: tuple[Message, ...]) -> None:
    """They are left out where the messages tell them, and are the same again afterwards."""
    from dataclasses import replace

    made = a_response(1)
    assert made.request is not None
    response = replace(made, request=replace(made.request, messages=messages))

    same(from_notebook(book(tmp_path / "a.ipynb", rows_metadata([response]))), [response])


_texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


@settings(max_examples=settings.default.max_examples * 2 // 3)
@given(
    content=_texts,
    prompt=_texts,
    seed=st.integers(-(2**63), 2**63 - 1),
    cost=st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_text_and_number_comes_back(
    tmp_path_factory: pytest.TempPathFactory, content: str, prompt: str, seed: int, cost: float
) -> None:
    """Also after JavaScript has read and written the file: no number is beyond its reach."""
    response = a_response(
        1, content=content, prompt=prompt, metadata={"seed": seed, "cost_usd": cost}
    )
    metadata = rows_metadata([response])
    numbers = [v for v in metadata[KEY]["rows"][0].values() if isinstance(v, int)]

    assert all(abs(number) <= 2**53 for number in numbers)
    same(from_notebook(book(tmp_path_factory.mktemp("any") / "a.ipynb", metadata)), [response])


def test_an_answer_shown_twice_is_one_row(tmp_path: Path) -> None:
    """`answer` in a later cell shows the same response; ids tell."""
    metadata = rows_metadata([a_response(1)])

    assert len(from_notebook(book(tmp_path / "a.ipynb", metadata, metadata))) == 1


def test_a_notebook_without_answers_gives_an_empty_typed_frame(tmp_path: Path) -> None:
    """Columns and dtypes are there without rows, and nobody is warned."""
    frame = allos.from_notebook(str(book(tmp_path / "a.ipynb", {}, {"isolated": True})))

    assert frame.empty
    assert {name: str(frame[name].dtype) for name in NAMES} == named(DTYPES)


_GOOD = rows_metadata([a_response(7)])[KEY]["rows"][0]


@pytest.mark.parametrize(
    "kept",
    [
        "not ours",
        None,
        {},
        {"version": 2, "rows": [_GOOD]},
        {"version": 1},
        {"version": 1, "rows": {"id": "x"}},
        {"version": 1, "rows": ["id"]},
        {"version": 1, "rows": [{**_GOOD, "id": None}]},
        {"version": 1, "rows": [{**_GOOD, "content": ["x"]}]},
        {"version": 1, "rows": [{**_GOOD, "input_tokens": "many"}]},
        {"version": 1, "rows": [{**_GOOD, "input_tokens": 1.5}]},
        {"version": 1, "rows": [{**_GOOD, "input_tokens": 1e300}]},
        {"version": 1, "rows": [{**_GOOD, "seed": str(2**70)}]},
        {"version": 1, "rows": [{**_GOOD, "latency_s": True}]},
        {"version": 1, "rows": [{**_GOOD, "latency_s": float("inf")}]},
        {"version": 1, "rows": [{**_GOOD, "messages": "[{"}]},
        {"version": 1, "rows": [{**_GOOD, "messages": "[" * 200_000}]},
        {"version": 1, "rows": [{**_GOOD, "messages": "[1]"}]},
        {"version": 1, "shared": [], "rows": [_GOOD]},
    ],
)
def test_damaged_outputs_are_skipped_and_counted(tmp_path: Path, kept: Any) -> None:
    """The rows of the other outputs are there, and a warning says how many were not."""
    path = book(tmp_path / "a.ipynb", {KEY: kept}, rows_metadata([a_response(1)]), {KEY: kept})
    with pytest.warns(UserWarning, match=r"skipped 2 outputs whose rows are damaged"):
        frame = from_notebook(path)

    assert frame["content"].tolist() == ["Answer 1"]


def test_columns_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    """A column that this version does not know does not cost the row."""
    kept = {KEY: {"version": 1, "rows": [{**_GOOD, "mood": 3}]}}

    assert from_notebook(book(tmp_path / "a.ipynb", kept))["content"].tolist() == ["Answer 7"]


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"nbformat": 3, "worksheets": []}', "\x00", "[" * 99_999]
)
def test_another_file_is_one_line(tmp_path: Path, text: str) -> None:
    """A file of another kind is an error that says what was expected."""
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(LogError, match="is not a valid notebook"):
        from_notebook(path)


def test_a_missing_notebook_is_one_line(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(LogError, match=r"cannot read the notebook .*none\.ipynb.*No such file"):
        from_notebook(tmp_path / "none.ipynb")


def test_odd_cells_are_no_trouble(tmp_path: Path) -> None:
    """Cells and outputs of other shapes than nbformat's hold no rows."""
    path = tmp_path / "a.ipynb"
    cells = [None, 3, {"outputs": {"a": 1}}, {"outputs": [None, {"metadata": []}, "x"]}]
    path.write_text(json.dumps({"cells": cells}))

    assert from_notebook(path).empty


def test_no_person_no_key_no_header_is_saved() -> None:
    """Names of person and computer, request bodies, headers and raw replies are not in a notebook."""
    response = a_response(1, body={"secret_body": 1}, reply={"secret_reply": 1})
    kept = rows_metadata([response])[KEY]["rows"][0]

    assert not PRIVATE_COLUMNS & kept.keys()
    assert "secret" not in json.dumps(kept)
    assert set(kept) <= set(NAMES)


def test_rows_can_be_kept_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable takes them out; a response without an id has none."""
    assert rows_metadata([ProviderResponse("Hi")]) == {}
    monkeypatch.setenv("ALLOS_NOTEBOOK_ROWS", "off")
    assert rows_metadata([a_response(1)]) == {}


def test_what_is_kept_out_of_the_log_is_no_row_of_the_notebook(log_path: Path) -> None:
    """An answer of a cell with --no-log, or shown while logging is off, brings no row along."""
    private = a_response(1, context=RunContext(logged=False))

    assert rows_metadata([private]) == {}
    allos.log.off()
    assert rows_metadata([a_response(2)]) == {}
    allos.log.on()
    assert len(rows_metadata([a_response(2), private])[KEY]["rows"]) == 1
