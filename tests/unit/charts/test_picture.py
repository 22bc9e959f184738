"""Static pictures, and the SVG for a page."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

import pandas as pd
import pytest

from allos import analysis
from allos.charts.picture import png
from tests.support.analysis_frames import RESULTS
from tests.support.hostile import FLAG, HOSTILE

_ELEMENTS = {"svg", "g", "path", "rect", "text", "tspan", "line", "defs", "clipPath"} | {
    "linearGradient",
    "stop",
}
# One of each kind would do for markup; a name of JavaScript's, or what XML does not have, is a kind of its own.
_TEXTS = [
    *(text.encode(errors="ignore").decode()[:300] for _, text in HOSTILE[::9]),
    *("\x00\x0b \ufffe \uffff", "toString", "__proto__", "constructor"),
    *(
        "image",
        "href",
        "url",
        "datum['x']",
        '{"signal": "1+1"}',
        "${x}",
        "a.b[0]",
        "mark 1",
        "data:text/html,x",
    ),
    "",
]


def _elements(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter())


def test_a_bundle_is_a_picture_without_a_page() -> None:
    """SVG, PNG and a line of text; no HTML, no script, no Vega-Lite that a page would have to draw."""
    bundle, metadata = RESULTS["leaderboard"]().plot()._repr_mimebundle_()

    assert set(bundle) == {"image/svg+xml", "image/png", "text/plain"}
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert 600 < metadata["image/png"]["width"] < 800
    assert bundle["text/plain"].startswith("Chart: Ranking by votes")
    assert "http" not in bundle["image/svg+xml"].replace("http://www.w3.org/2000/svg", "")


def test_the_page_gives_the_colours() -> None:
    """Greys become classes; each mark has its number and says what it is."""
    svg = RESULTS["leaderboard"]().plot().page_svg()
    marks = [each for each in _elements(svg) if each.get("data-mark")]

    assert {each.get("data-mark") for each in marks} == {"0", "1", "2"}
    assert all(": " in each.get("aria-label", "") for each in marks)
    assert "allos-ink-fill" in svg
    assert "#7" not in svg.replace("#7b6a90", "")


@pytest.mark.parametrize("text", _TEXTS, ids=range(len(_TEXTS)))
def test_texts_of_others_are_text(text: str) -> None:
    """A prompt, a model and a column of any name are drawn; nothing of them is an element or a link."""
    frame = pd.DataFrame({text or "x": [text, "b"], "prompt": [text, "q"], "score": [1.0, 0.0]})
    chart = frame.allos.plot_heatmap(score="score", by=text or "x")
    bundle = chart._repr_mimebundle_()[0]

    for svg in (chart.page_svg(), bundle["image/svg+xml"]):
        for each in _elements(svg):
            assert each.tag.partition("}")[2] in _ELEMENTS
            assert not [name for name in each.attrib if name.startswith("on") or "href" in name]
    assert chart.page_svg().count("data-mark=") == 2


def test_a_title_of_the_user_is_drawn_too() -> None:
    """What is added to a chart later is made safe as well: some of it would end the process."""
    chart = analysis.score_summary(
        pd.DataFrame({"model": ["a", "a"], "prompt": [1, 2], "score": [1.0, 2.0]}), score="score"
    ).plot()
    titled = chart.properties(title=f"\ufffe<script>{FLAG}=1</script>")

    assert png(titled.to_dict())
    assert "<script" not in titled.page_svg()
    assert titled.marks is chart.marks
