"""What a dry run, a budget and the doctor show in a cell: quiet text, a table, nothing that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.render.plain import escaped
from allos.render.style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from allos.providers.pricing.planned_requests import PlannedRequest, Preview
    from allos.runs.doctor import Report

_OPEN = f'<div class="allos-out mathjax_ignore tex2jax_ignore">{STYLE}<div class="allos-md">'
_CLOSE = "</div></div>"
_MARKS = {"ok": "✓", "note": "note", "problem": "problem"}


def preview_html(preview: Preview) -> str:
    """Requests that would be sent: address, folded headers, body, tokens and cost."""
    parts = [_request(each) for each in preview.requests]
    parts += (
        f'<p><b>{escaped(name)}</b> <span class="allos-x">{escaped(why)}</span></p>'
        for name, why in preview.failures.items()
    )
    return f"{_OPEN}{''.join(parts)}<p><b>{escaped(preview.summary())}</b></p>{_CLOSE}"


def report_html(report: Report) -> str:
    """Findings of the doctor as a table, problems marked."""
    rows: list[str] = []
    area = None
    for each in report.findings:
        shown = "" if each.area == area else escaped(each.area)
        area = each.area
        mark = escaped(_MARKS[each.status])
        if each.status == "problem":
            mark = f'<b class="allos-x">{mark}</b>'
        fix = f" <b>{escaped(each.fix)}</b>" if each.fix else ""
        rows.append(f"<tr><td>{shown}</td><td>{mark}</td><td>{escaped(each.said)}{fix}</td></tr>")
    table = f'<div class="allos-wide"><table><tbody>{"".join(rows)}</tbody></table></div>'
    return f"{_OPEN}<p>{escaped(report.summary())}</p>{table}{_CLOSE}"


def _request(planned: PlannedRequest) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in planned.headers.items())
    return (
        f"<p><code>{escaped(planned.method)} {escaped(planned.url)}</code></p>"
        f"<details><summary>{len(planned.headers)} headers</summary>"
        f"<pre><code>{escaped(headers)}</code></pre></details>"
        f"<pre><code>{escaped(planned.body_text())}</code></pre>{_paragraphs(planned.facts())}"
    )


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escaped(line)}</p>" for line in lines)
