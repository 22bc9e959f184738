"""Images, files and tables in the prompt of a cell, in a real IPython shell."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import allos
from tests.support.fake_server import FakeServer
from tests.support.pictures import PNG, stand_in


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    with FakeServer("A red pixel.") as started:
        monkeypatch.setenv("GROQ_BASE_URL", started.base_url)
        monkeypatch.setenv("GROQ_API_KEY", "gsk-of-the-test")
        yield started


class _Drawn:
    dpi = 72

    def savefig(self, target: Any, **_: Any) -> None:
        target.write(PNG)


@pytest.fixture
def shell(shell: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.setenv("ALLOS_LOG", str(tmp_path / "log.sqlite"))
    monkeypatch.chdir(tmp_path)
    shell.user_ns["fig"] = stand_in("matplotlib.figure", "Figure", _Drawn)()
    shell.user_ns["df"] = pd.DataFrame({"n": range(48_210)})
    yield shell
    allos.log.close()


def sent(server: FakeServer) -> Any:
    return server.requests[-1].body["messages"][-1]["content"]


def test_figure_in_the_prompt(shell: Any, server: FakeServer) -> None:
    """A figure between braces is an image in its place; the text around it is as typed."""
    result = shell.run_cell("%%allos groq/m\nWhat is  on {{fig}}\n\tand {{ 1 + 1 }}?\n")
    blocks = sent(server)

    assert result.success
    assert [block.get("text") for block in blocks] == ["What is  on ", None, "\n\tand 2?"]
    uri = blocks[1]["image_url"]["url"]
    assert base64.b64decode(uri.partition(",")[2]) == PNG
    shown = dict(result.result.context.variables)
    assert shown == {"fig": f"Image(png, {len(PNG)} bytes)", "1 + 1": "2"}
    row = allos.responses().iloc[-1]
    assert base64.b64encode(PNG).decode()[:30] not in "".join(map(str, row))


@pytest.mark.parametrize("flag", ["--image fig", "--image 'red pixel.png'", "--image fig -q"])
def test_image_beside_the_prompt(shell: Any, server: FakeServer, tmp_path: Path, flag: str) -> None:
    """`--image` sends what a variable holds, or a file whose path is quoted, before the text."""
    (tmp_path / "red pixel.png").write_bytes(PNG)
    shell.run_cell(f"%%allos groq/m {flag}\nWhat is it?")

    assert [block["type"] for block in sent(server)] == ["image_url", "text"]
    assert sent(server)[1]["text"] == "What is it?"


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%allos groq/m --image nope\nHi", "'nope' is not defined"),
        ("%%allos groq/m --image a.png\nHi", 'a path in quotes: --image "a.png"'),
        ("%%allos groq/m --image 'a.png'\nHi", "File not found: 'a.png'"),
        ("%%allos groq/m -s '{{fig}}'\nHi", "--system must be text only"),
        ("%%allos groq/m --blind\nHi", "--blind hides the names of a comparison"),
        ("%%allos batch df groq/m --blind\nHi", "--blind hides the names of a comparison"),
        ("%%allos compare groq/m groq/n --blind --no-log\nHi", "--blind needs the log"),
        pytest.param(
            "%%allos local --image fig\nHi",
            "local/smollm2 reads text only",
            marks=pytest.mark.model,
        ),
    ],
)
def test_mistake_is_one_line(
    shell: Any, server: FakeServer, capsys: pytest.CaptureFixture[str], cell: str, words: str
) -> None:
    """A picture that is not there, or cannot be read, is one line; nothing is sent."""
    result = shell.run_cell(cell)
    captured = capsys.readouterr()

    assert not result.success
    assert words in captured.out + captured.err
    assert "Traceback" not in captured.out + captured.err
    assert server.requests == []


def test_table_in_the_prompt(
    shell: Any, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A DataFrame is its columns and first rows; the footer says how many were sent."""
    shell.run_cell("%%allos groq/m\nWhat is in {{ df }}?")
    prompt = sent(server)
    printed = capsys.readouterr().out

    assert prompt.startswith("What is in DataFrame, 48,210 rows, 1 column\n")
    assert prompt.endswith("?")
    assert len(prompt) < 4200
    assert "of 48,210 rows sent" in printed
    assert "df: " in printed


def test_comparison_sees_the_same(
    shell: Any, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every model of a comparison gets the picture; what a table left out is said once."""
    result = shell.run_cell("%%allos compare groq/m groq/n\n{{fig}} {{df}}")
    result.result.wait()

    assert [[b["type"] for b in r.body["messages"][-1]["content"]] for r in server.requests] == [
        ["image_url", "text"]
    ] * 2
    assert capsys.readouterr().out.count("of 48,210 rows sent\n") == 1


def test_comparison_may_begin_blind(
    shell: Any, server: FakeServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names are hidden from the first output on."""
    result = shell.run_cell("%%allos compare groq/m groq/n --blind\nHi")

    assert result.result.is_blind
    assert "groq" not in str(result.result.wait().view().columns)
    assert "groq/m" not in capsys.readouterr().out


def test_empty_value_is_an_empty_prompt(shell: Any, server: FakeServer) -> None:
    """A prompt whose only value is empty goes out as it is."""
    shell.run_cell("%%allos groq/m\n{{ '' }}")

    assert sent(server) == ""


def test_plain_calls_take_figures(shell: Any, server: FakeServer) -> None:
    """In plain Python a figure stands in the list as it is."""
    shell.run_cell("import allos\nallos.ask(['What is it?', fig], model='groq/m')")

    assert [block["type"] for block in sent(server)] == ["text", "image_url"]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_any_line_break(shell: Any, server: FakeServer, line_break: str) -> None:
    """A cell from another system's editor sends the same prompt; inserted values stay as they are."""
    shell.user_ns["data"] = "a\r\nb"
    lines = ["%%allos groq/m", "One {{ (1 +", "1) }}", "", "two: {{data}}", ""]
    result = shell.run_cell(line_break.join(lines))

    assert result.success
    assert sent(server) == "One 2\n\ntwo: a\r\nb"
