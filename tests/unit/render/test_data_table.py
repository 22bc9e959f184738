from __future__ import annotations

import pytest

from allos.render.data_table import TEXT_WIDTH, DataTable, TableCell, table_html, table_text
from allos.render.style import sheet_of
from tests.support.hostile import HOSTILE, judge

TONES = ("plain", "strong", "quiet", "problem")


@pytest.mark.parametrize(("name", "text"), HOSTILE)
def test_nothing_hostile_survives(name: str, text: str) -> None:
    """Whatever stands in a title, a cell, its second line, its hint, its URL or a note, it is text."""
    cells = [TableCell(text, tone=tone, below=text, hint=text, url=text) for tone in TONES]
    html = table_html(DataTable(title=text, heads=[text] * 4, rows=[cells, [text] * 4], note=text))
    faults, _ = judge(html, styles=frozenset({sheet_of(html)}))

    assert faults == []


def test_words_stand_left_and_numbers_right_without_a_style_sheet() -> None:
    """Each cell says itself where its words stand; the page may strip style sheets."""
    table = DataTable(title="T", heads=("a", "b"), rows=[["x", "1"]], numbers=frozenset({"b"}))
    html = table_html(table)

    assert html.count('style="text-align:left;vertical-align:top"') == 2
    assert html.count('style="text-align:right;vertical-align:top;white-space:nowrap"') == 2


def test_a_long_text_wraps() -> None:
    """Columns of sentences wrap, and so does any long text, never into the next column; ids do not."""
    heads, row = ("answer", "note", "id"), ["Yes.", "word " * 20, "cmp_" + "0" * 80]
    table = DataTable(
        title="T", heads=heads, rows=[row], prose=frozenset({"answer"}), short=frozenset({"id"})
    )
    answer, note, key = table_html(table).split("<td")[1:]

    assert answer.startswith(' class="allos-long"')
    assert note.startswith(' class="allos-long"')
    assert "allos-long" not in key


def test_a_cell_has_a_hint_a_second_line_and_a_link() -> None:
    """Only a safe link is one."""
    cell = TableCell("Groq", below="fast", hint="a host", url="https://console.groq.com")
    unsafe = TableCell("bad", url="javascript:alert(1)")
    html = table_html(DataTable(title="T", heads=("a", "b"), rows=[[cell, unsafe]]))

    assert '<span title="a host"><a href="https://console.groq.com"' in html
    assert "<br><small" in html
    assert html.count("<a ") == 1


def test_without_rows_only_the_title_is_shown() -> None:
    """An empty table is one line, in both versions."""
    table = DataTable(title="Nothing here.", heads=("a",), rows=[])

    assert "<table" not in table_html(table)
    assert table_text(table) == "Nothing here."


def test_text_fits_a_terminal() -> None:
    """Long columns give way to each other, line ends and escapes are removed."""
    row = ["short", "long " * 60, "x\x1b[31m\ny", "12"]
    table = DataTable(title="T", heads=("a", "b", "c", "d"), rows=[row], numbers=frozenset({"d"}))
    lines = table_text(table).splitlines()

    assert max(map(len, lines)) <= TEXT_WIDTH
    assert lines[3].startswith("short  long long")
    assert lines[3].endswith("…  x y  12")
    assert lines[2].endswith(" d")


def test_names_keep_their_ends_in_a_narrow_text() -> None:
    """Settings of one model differ at the end of their names: other columns give way."""
    names = [f"local/smollm2 (temperature {each})" for each in (0, 1)]
    heads = ("setting", *(f"a figure of calls {number}" for number in range(9)))
    rows = [[name, *(["1,234,567"] * 9)] for name in names]

    text = table_text(DataTable(title="x", heads=heads, rows=rows, names=frozenset({"setting"})))

    assert all(name in text for name in names)
