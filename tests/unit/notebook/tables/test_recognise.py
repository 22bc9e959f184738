"""Which frames a shell shows as tables of allos."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

import allos
from allos.log.columns import SUMMARY
from allos.log.frame import frame_of
from allos.notebook.tables.recognise import table_of
from allos.testing import ScriptedProvider
from tests.support.log_rows import a_response


def shown(shell: Any, value: Any) -> dict[str, str]:
    """What the shell displays of a value."""
    return dict(shell.display_formatter.format(value)[0])


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"created_at": [1]}),
        pd.DataFrame({"value": [1], "set_by": [2]}),
        pd.DataFrame({"calls": [1], "cost_usd": [2]}),
        pd.DataFrame([[1, 2]]),
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("created_at", "x")])),
    ],
)
def test_frames_of_others_stay_as_they_are(shell: Any, frame: pd.DataFrame) -> None:
    """A frame with other columns is shown as pandas shows it, to the letter."""
    assert table_of(frame) is None
    assert shown(shell, frame) == {"text/plain": repr(frame), "text/html": frame._repr_html_()}


def test_responses_show_ten_columns(shell: Any) -> None:
    """The frame has all columns and is a plain DataFrame; a notebook shows the ten read first."""
    frame = frame_of([a_response(number) for number in range(3)])
    html = shown(shell, frame)["text/html"]

    assert type(frame) is pd.DataFrame
    assert html.count("<th ") == 1 + len(SUMMARY)
    assert all(f">{name}</th>" in html for name in SUMMARY)
    assert f"3 responses, {len(frame.columns)} columns, 10 shown" in html
    assert "NaN" not in html


def test_filtered_sorted_and_widened_frames_look_the_same(shell: Any) -> None:
    """Rows may be chosen and columns added."""
    frame = frame_of([a_response(number) for number in range(3)])
    some = frame.query("input_tokens > 10").sort_values("id", ascending=False)
    wider = frame.assign(score=[1, 2, 3])

    assert "2 responses," in shown(shell, some)["text/html"]
    assert ">score</th>" in shown(shell, wider)["text/html"]


def test_frames_of_batches_show_the_data_beside_the_answers(shell: Any) -> None:
    """Whole, a part of the rows, and scored; a column of the data is never read as one of the log."""
    data = pd.DataFrame({"city": ["Rome", "Oslo"], "latency_s": ["slow", "fast"]})
    found = allos.evaluate(
        data, "Where is {{ city }}?", models=ScriptedProvider("Here"), scorers=lambda row: 1
    ).frame
    html = shown(shell, found[found["city"] == "Rome"])["text/html"]

    assert f"1 response, {len(found.columns)} columns, 11 shown" in html
    assert ">Rome</td>" in html
    assert ">slow</td>" in html
    assert ">latency_s_log</th>" in html
    assert ">scorer</th>" in html
    assert ">created_at</th>" not in html


def test_chosen_columns_are_a_table_as_well(shell: Any) -> None:
    """Texts at the left and longer than pandas shows them, numbers at the right, in the order chosen."""
    long = "word " * 60
    frame = frame_of([a_response(0), a_response(1)]).assign(content=[long, None], score=[0.25, 1.0])
    html = shown(shell, frame[["latency_s", "content", "score", "created_at"]].head(1))["text/html"]
    heads = re.findall(r'<th[^>]* align="(\w+)" [^>]*>(\w*)</th>', html)

    assert heads == [
        ("left", ""),
        ("right", "latency_s"),
        ("left", "content"),
        ("right", "score"),
        ("left", "created_at"),
    ]
    assert html.count("word") > 30
    assert ">0.25</td>" in html
    assert "1 response" in html


@pytest.mark.parametrize(
    "part",
    [
        lambda frame: frame[["input_tokens", "latency_s"]],
        lambda frame: frame.groupby("model")[["content"]].count(),
        lambda frame: frame[["content"]].describe(),
        lambda frame: frame.set_index("model")[["content"]],
        lambda frame: frame[["content", "content"]],
        lambda frame: frame[["content"]].rename(columns={"content": ("a", "b")}),
        lambda frame: pd.DataFrame(frame[["content"]].to_dict("list")),
        lambda frame: frame.drop(columns="created_at"),
    ],
)
def test_what_was_computed_is_shown_by_pandas(shell: Any, part: Any) -> None:
    """Numbers alone, groups, an index with a meaning, many columns, and frames of one's own."""
    frame = part(frame_of([a_response(number) for number in range(3)]))

    assert shown(shell, frame)["text/html"] == frame._repr_html_()


def test_chosen_columns_of_a_batch_are_a_table(shell: Any) -> None:
    """With the data's own texts, which wrap at the left when they are long, and its own index."""
    data = pd.DataFrame(
        {"ticket": ["Where is my parcel? It is late.", "Hi"], "label": "x"}, index=[7, 9]
    )
    model = ScriptedProvider(["shipping", "other"], model="m")
    frame = allos.batch(data, "{{ ticket }}", models=[model]).wait(30).frame
    part = frame[["ticket", "label", "content"]]
    table = table_of(part)

    assert table is not None
    assert table.prose == {"ticket", "content"}
    assert "label" in table.short
    assert "Where is my parcel? It is late." in shown(shell, part)["text/html"]


def test_the_embedded_model_is_free(shell: Any) -> None:
    """Its cost is no gap in the table; that of another service whose price is unknown is one."""
    for name, cost in (("local", "free"), ("vllm", "")):
        frame = frame_of([a_response()]).assign(provider=name, cost_usd=None)
        assert f">{cost}</td>" in shown(shell, frame)["text/html"]
        assert (">free</td>" in shown(shell, frame)["text/html"]) == (cost == "free")


def test_a_frame_with_other_values_is_shown_by_pandas(shell: Any) -> None:
    """Values that we cannot read are no error: pandas shows the frame."""
    frame = frame_of([a_response()]).assign(created_at="long ago")

    assert "long ago" in shown(shell, frame)["text/plain"]


def test_long_frames_show_as_many_rows_as_pandas_would(shell: Any) -> None:
    """The first and the last rows, with a row of dots between."""
    frame = frame_of([a_response(number) for number in range(61)])
    html = shown(shell, frame)["text/html"]

    assert html.count("<tr>") == 1 + pd.get_option("display.min_rows") + 1
    assert "Answer 0" in html
    assert "Answer 60" in html
    assert "Answer 30" not in html


def test_answers_of_models_are_text(shell: Any) -> None:
    """What a model wrote is escaped, cut to a line, and safe for a terminal."""
    hostile = a_response(content="<img src=x onerror=alert(1)>\x1b[31m\n" * 50)
    data = shown(shell, frame_of([hostile]))

    assert "<img" not in data["text/html"]
    assert "\x1b" not in data["text/plain"]


def test_without_the_extension_pandas_shows_it(shell: Any) -> None:
    """After unloading nothing of ours is left."""
    frame = frame_of([a_response()])
    shell.run_line_magic("unload_ext", "allos")
    try:
        assert shown(shell, frame)["text/html"] == frame._repr_html_()
    finally:
        shell.run_line_magic("load_ext", "allos")
