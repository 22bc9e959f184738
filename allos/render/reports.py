"""Dry runs and reports of the doctor as HTML: quiet text and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from allos.render.plain import escaped
from allos.render.static_styles import with_inline_styles
from allos.render.style import STYLE

_OPEN = f'<div class="allos-out mathjax_ignore tex2jax_ignore">{STYLE}<div class="allos-md">'
_CLOSE = "</div></div>"
_MARKS = {"ok": "✓", "note": "note", "problem": "problem"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """One request that would be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    """Headers, with the key redacted."""
    body: str
    """The body as indented JSON."""
    notes: Sequence[str]
    """Estimated tokens and cost, dropped parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One line of a report."""

    area: str
    """What was checked, such as ``log``."""
    status: Literal["ok", "note", "problem"]
    text: str
    fix: str | None = None
    """What to do about it."""


def preview_html(requests: Sequence[RequestView], failures: Mapping[str, str], summary: str) -> str:
    """Requests that would be sent: address, folded headers, body, estimated tokens and cost.

    Parameters
    ----------
    requests : sequence of RequestView
    failures : mapping of str to str
        Why a request could not be built, by ``provider/model``.
    summary : str
        One line about all requests together.
    """
    parts = [_request(each) for each in requests]
    parts += (
        f'<p><b>{escaped(name)}</b> <span class="allos-x">{escaped(reason)}</span></p>'
        for name, reason in failures.items()
    )
    return _page(f"{''.join(parts)}<p><b>{escaped(summary)}</b></p>")


def report_html(findings: Sequence[FindingView], summary: str) -> str:
    """Findings as a table, problems marked; an area is named once, at its first finding."""
    rows: list[str] = []
    area = None
    for finding in findings:
        label = "" if finding.area == area else escaped(finding.area)
        area = finding.area
        mark = escaped(_MARKS[finding.status])
        if finding.status == "problem":
            mark = f'<b class="allos-x">{mark}</b>'
        fix = f" <b>{escaped(finding.fix)}</b>" if finding.fix else ""
        rows.append(
            f"<tr><td>{label}</td><td>{mark}</td>"
            f'<td class="allos-long">{escaped(finding.text)}{fix}</td></tr>'
        )
    table = f'<div class="allos-wide"><table><tbody>{"".join(rows)}</tbody></table></div>'
    return _page(f"<p>{escaped(summary)}</p>{table}")


def _page(body: str) -> str:
    return f"{_OPEN}{with_inline_styles(body)}{_CLOSE}"


def _request(request: RequestView) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    count = len(request.headers)
    notes = "".join(f"<p>{escaped(note)}</p>" for note in request.notes)
    return (
        f"<p><code>{escaped(request.method)} {escaped(request.url)}</code></p>"
        f"<details><summary>{count} header{'' if count == 1 else 's'}</summary>"
        f"<pre><code>{escaped(headers)}</code></pre></details>"
        f"<pre><code>{escaped(request.body)}</code></pre>{notes}"
    )
