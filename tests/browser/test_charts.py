"""Charts and tables of frames in JupyterLab in a real Chromium: selecting, sorting, and nothing of a text that acts."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.support.hostile import FLAG
from tests.support.jupyter import Lab, Notebook

_SETTING = (
    f"import sys\nsys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
    "import pandas as pd\n%load_ext allos\nfrom tests.support.analysis_frames import RESULTS, log\n"
    "frame = log()"
)
_COUNT = f"""() => {{
    let count = 0;
    Object.defineProperty(window, '{FLAG}', {{ get: () => count, set: () => {{ count += 1; }} }});
}}"""


def _quiet(notebook: Notebook) -> None:
    """No script, no request to elsewhere, no dialog, no other page."""
    assert notebook.page.evaluate(f"() => window.{FLAG} ?? 0") == 0
    assert notebook.foreign_requests == []
    assert notebook.dialogs == []
    assert notebook.popups == []


def test_marks_and_rows_are_selected(lab: Lab) -> None:
    """A click, the keyboard and a box select marks; rows of a table sort, filter and are selected; both come back."""
    lab.write(
        "charts.ipynb",
        _SETTING,
        "chart = RESULTS['leaderboard']().plot()\nchart",
        "heat = frame.allos.plot_heatmap(score='rating')\nheat",
        "table = frame.allos.show()\ntable",
        "RESULTS['summary']().plot()",
        "RESULTS['leaderboard']()",
        "print(len(chart.rows), heat.rows['model'].nunique(), table.rows['latency_s'].round(6).tolist())",
    )
    notebook = lab.open("charts.ipynb")
    notebook.run_all()
    page = notebook.page
    live = notebook.outputs(1).locator(".allos-chart svg")
    expect(live).to_be_visible()
    expect(notebook.outputs(4).locator(".allos-chart svg")).to_be_visible()
    expect(page.locator(".jp-RenderedSVG:visible")).to_have_count(0)
    expect(notebook.outputs(5).locator("table")).to_contain_text("rank")

    mark = live.locator("[data-mark='0'][role=button]")
    mark.hover(force=True)
    expect(notebook.outputs(1).locator(".allos-chart-about")).to_contain_text("openai/gpt-5-mini")
    mark.click(force=True)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(notebook.outputs(1).locator(".allos-chart-state")).to_contain_text("2 selected")

    cells = notebook.outputs(2).locator("[data-mark]")
    cells.first.scroll_into_view_if_needed()
    one, other = cells.nth(0).bounding_box(), cells.nth(1).bounding_box()
    assert one is not None
    assert other is not None
    left = min(one["x"], other["x"])
    page.mouse.move(left - 3, one["y"] - 3)
    page.mouse.down()
    page.mouse.move(left + 60, one["y"] + 10, steps=3)
    page.mouse.move(max(one["x"], other["x"]) + one["width"], one["y"] + one["height"] + 2, steps=3)
    page.mouse.up()
    expect(notebook.outputs(2).locator(".allos-chart-state")).to_contain_text("2 selected")

    shown = notebook.outputs(3).locator(".allos-table")
    expect(shown.locator("tbody tr")).to_have_count(10)
    shown.locator(".dt-search input").fill("prompt 3")
    expect(shown.locator(".dt-info")).to_contain_text("of 120")
    shown.locator(".dt-search input").fill("")
    head = shown.locator("thead th").filter(has_text="latency_s").first
    head.locator(".dtcc-button_order").click()
    shown.locator("tbody tr").first.click()
    expect(shown.locator(".dt-info")).to_contain_text("1 selected")
    for theme in ("light", "dark"):
        notebook.set_theme(theme)  # type: ignore[arg-type]
        notebook.screenshot(f"charts-{theme}")
    notebook.set_theme("light")
    notebook.run_cell(6)
    expect(notebook.outputs(6)).to_contain_text("2 2 [0.")

    assert notebook.errors == []
    _quiet(notebook)

    notebook.save()
    notebook = notebook.reopen(trust=False)
    expect(notebook.outputs(1).locator("img").first).to_be_visible()
    expect(notebook.outputs(3).locator("table").first).to_be_visible()
    notebook.screenshot("charts-reopened-untrusted")
    notebook = notebook.reopen(trust=True)
    expect(notebook.outputs(1).locator("img").first).to_be_visible()
    expect(notebook.outputs().get_by_text("model not found")).to_have_count(0)
    notebook.screenshot("charts-reopened-trusted")


_HOVER = """() => {
    const said = [];
    for (const chart of document.querySelectorAll('.allos-chart')) {
        const about = chart.querySelector('.allos-chart-about');
        for (const mark of chart.querySelectorAll('[data-mark][role=button]')) {
            mark.dispatchEvent(new PointerEvent('pointermove', {bubbles: true}));
            if (about.childElementCount || about.textContent !== mark.getAttribute('aria-label'))
                said.push(about.outerHTML);
        }
    }
    return said;
}"""
_OTHERS = """() => [...document.querySelectorAll('.allos-chart svg *')].filter(
    e => !e.matches('svg,g,path,rect,text,tspan,line,defs,clipPath,linearGradient,stop')).length"""


def test_texts_of_others_do_nothing(lab: Lab) -> None:
    """The corpus as cells, a part as labels, tooltips and titles of charts: shown, hovered over, selected, saved.

    A part, since vl-convert looks long for the letters that a font does not have.
    """
    lab.write(
        "hostile-charts.ipynb",
        _SETTING + "\nfrom tests.browser.test_hostile import SHORT as texts\n"
        "from allos.analysis import drift, score_summary\n"
        "rows = pd.DataFrame({'model': texts, 'prompt': texts, 'score': 1.0, 'latency_s': 1.0})",
        "score_summary(rows.iloc[1::9], score='score').plot()",
        "part = rows.iloc[::20].rename(columns={'prompt': texts[0]})\n"
        "display(part.allos.plot_heatmap(score='score', prompt=texts[0]))\n"
        "display(part.iloc[:20].allos.plot_latency(by=texts[0]))\n"
        "for text in texts[7::90]:\n"
        "    one = rows.assign(model=text)\n"
        "    display(drift(one, one, prompt='prompt').plot().properties(width=300))",
        "pd.DataFrame({'prompt': texts, 'answer': texts, **{text: 1 for text in texts[:8]}}, index=texts).allos.show()",
    )
    notebook = lab.open("hostile-charts.ipynb")
    notebook.page.evaluate(_COUNT)
    notebook.run_all(timeout_s=300)
    page = notebook.page
    charts = [*notebook.outputs(1).locator(".allos-chart svg").all()]
    charts += notebook.outputs(2).locator(".allos-chart svg").all()
    expect(charts[-1]).to_be_visible()
    for chart in charts:
        chart.locator("[data-mark][role=button]").first.click(force=True)
    shown = notebook.outputs(3).locator(".allos-table")
    shown.locator(".dt-length select").select_option("100")
    shown.locator("tbody tr").first.click()

    assert len(charts) > 5
    assert notebook.outputs(1).locator("[data-mark][role=button]").count() > 25
    assert page.evaluate(_HOVER) == []
    assert page.evaluate(_OTHERS) == 0
    assert shown.locator("td *, td a, th a").count() == 0
    _quiet(notebook)
    notebook.screenshot("hostile-charts")
    notebook.save()
    for trust in (True, False):
        notebook = notebook.reopen(trust=trust)
        notebook.page.evaluate(_COUNT)
        expect(notebook.outputs(1).locator("img").first).to_be_visible()
        expect(notebook.outputs(3).locator("table").first).to_be_visible()
        _quiet(notebook)
