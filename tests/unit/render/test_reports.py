from __future__ import annotations

from dataclasses import replace

import pytest

from allos.providers.pricing.estimates import Estimate
from allos.providers.pricing.planned_requests import PlannedRequest, Preview
from allos.render.reports import preview_html, report_html
from allos.render.style import CSS
from allos.runs.doctor import Finding, Report
from tests.support.hostile import HOSTILE, judge

PLANNED = PlannedRequest(
    provider="groq",
    model="m",
    api="chat",
    method="POST",
    url="https://api.groq.com/v1",
    headers={"authorization": "Bearer ***"},
    body={"messages": []},
    estimate=Estimate(input_tokens=4, bound_tokens=9),
)


@pytest.mark.parametrize(("name", "text"), HOSTILE)
def test_nothing_hostile_survives(name: str, text: str) -> None:
    """Whatever stands in a prompt, a name, a failure or a finding, it is text."""
    planned = replace(PLANNED, body={"messages": [{"content": text}]}, model=text)
    preview = preview_html(Preview((planned,), {text: text}))
    report = report_html(Report((Finding(text, "problem", text, text),)))

    for html in (preview, report):
        faults, _ = judge(html, styles=frozenset({CSS}))
        assert faults == []


def test_preview_shows_its_parts() -> None:
    """Address, headers in a fold, body, tokens and the sum."""
    html = preview_html(Preview((PLANNED,), {"openai/m": "No key"}))

    assert "POST https://api.groq.com/v1" in html
    assert "<details><summary>1 headers</summary>" in html
    assert "authorization: Bearer ***" in html
    assert "about 4 tokens" in html
    assert "openai/m" in html
    assert "Nothing was sent." in html


def test_report_marks_problems() -> None:
    """An area stands once, a problem is marked, its fix is bold, and text is escaped."""
    html = report_html(
        Report((Finding("log", "ok", "<b>"), Finding("log", "problem", "Bad.", "Mend it.")))
    )

    assert html.count("<td>log</td>") == 1
    assert "&lt;b&gt;" in html
    assert '<b class="allos-x">problem</b>' in html
    assert "<b>Mend it.</b>" in html
