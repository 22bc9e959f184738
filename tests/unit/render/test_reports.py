from __future__ import annotations

from dataclasses import replace

import pytest

from allos.render.reports import FindingView, RequestView, preview_html, report_html
from allos.render.style import CSS
from tests.support.hostile import HOSTILE, judge

REQUEST = RequestView(
    method="POST",
    url="https://api.groq.com/v1",
    headers={"authorization": "Bearer ***"},
    body='{"messages": []}',
    notes=["groq/m: about 4 tokens."],
)


@pytest.mark.parametrize(("name", "text"), HOSTILE)
def test_nothing_hostile_survives(name: str, text: str) -> None:
    """Whatever stands in a prompt, a name, a failure or a finding, it is text."""
    request = replace(REQUEST, url=text, headers={text: text}, body=text, notes=[text])
    preview = preview_html([request], {text: text}, text)
    finding = FindingView(area=text, status="problem", text=text, fix=text)
    report = report_html([finding], text)

    for html in (preview, report):
        faults, _ = judge(html, styles=frozenset({CSS}))
        assert faults == []


def test_preview_shows_its_parts() -> None:
    """Address, folded headers, body, tokens, failures and the sum."""
    html = preview_html([REQUEST], {"openai/m": "No key"}, "1 call. Nothing was sent.")

    assert "POST https://api.groq.com/v1" in html
    assert "<details><summary>1 header</summary>" in html
    assert "authorization: Bearer ***" in html
    assert "{&quot;messages&quot;: []}" in html
    assert "about 4 tokens" in html
    assert '<b>openai/m</b> <span class="allos-x">No key</span>' in html
    assert "Nothing was sent." in html


def test_report_marks_problems() -> None:
    """An area stands once, a problem is marked, its fix is bold, and text is escaped."""
    html = report_html(
        [
            FindingView(area="log", status="ok", text="<b>"),
            FindingView(area="log", status="problem", text="Bad.", fix="Fix it."),
        ],
        "1 problem",
    )

    assert html.count(">log</td>") == 1
    assert "&lt;b&gt;" in html
    assert '<b class="allos-x">problem</b>' in html
    assert "<b>Fix it.</b>" in html
    assert "<p>1 problem</p>" in html


def test_both_read_well_without_their_style_sheet() -> None:
    """An unsigned notebook drops it: a finding wraps and stands at the left, code is not broken."""
    finding = FindingView(area="versions", status="ok", text="openai 3.57, " * 20)
    report = report_html([finding], "Fine")
    preview = preview_html([REQUEST], {}, "1 call")

    assert '<td class="allos-long" align="left" valign="top" style="text-align:left' in report
    assert '<pre style="white-space:pre;word-break:normal' in preview
