"""MIME bundles of what a cell can show: responses, comparisons, dry runs and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from allos.notebook.board.source import BoardSource
    from allos.providers.pricing.planned_requests import Preview
    from allos.replaying.replay import Replay
    from allos.response import ProviderResponse
    from allos.runs.batching.batch_preview import BatchPreview
    from allos.runs.batching.live_batch import Batch
    from allos.runs.doctor import Report
    from allos.runs.evaluation import Evaluation
    from allos.runs.frame_view import FrameView

MAX_SAVED_ROWS = 500
"""A saved notebook holds the rows of a comparison of no more answers."""

Bundle = tuple[dict[str, str], dict[str, Any]]
"""Data by MIME type, and metadata."""


def response_bundle(
    response: ProviderResponse,
    notes: tuple[str, ...] = (),
    *,
    show_error: bool = True,
    unsafe_html: bool = False,
) -> Bundle:
    """Answer with its footer; the metadata keeps its rows in the saved notebook.

    Parameters
    ----------
    response : ProviderResponse
    notes : tuple of str
        Further facts for the footer.
    show_error : bool
        Whether a failed response shows its error.
    unsafe_html : bool
        Insert the answer's own HTML unchanged.
    """
    from allos.log.notebook_rows import rows_metadata
    from allos.render.answer import answer_html, answer_text

    options: dict[str, Any] = {"notes": notes, "show_error": show_error, "unsafe_html": unsafe_html}
    return {
        "text/html": answer_html(response, **options),
        "text/plain": answer_text(response, **options),
    }, rows_metadata(response.steps or (response,))


def comparison_bundle(comparison: BoardSource) -> Bundle:
    """Static table; the metadata keeps its rows in the saved notebook."""
    from allos.log.notebook_rows import rows_metadata
    from allos.render.comparison_table import comparison_html
    from allos.render.comparison_text import comparison_text

    view = comparison.view()
    responses = [cell.response for cell in view.cells if cell.response is not None]
    if len(responses) > MAX_SAVED_ROWS or comparison.is_blind:
        responses = []  # of many megabytes, or with the names; the log has them
    return {
        "text/html": comparison_html(view),
        "text/plain": comparison_text(view),
    }, rows_metadata(responses)


def batch_bundle(batch: Batch) -> dict[str, str]:
    """Tables of a batch as far as it has come."""
    from allos.render.batch_table import batch_html, batch_text

    view = batch.view()
    return {"text/html": batch_html(view), "text/plain": batch_text(view)}


def evaluation_bundle(evaluation: Evaluation) -> dict[str, str]:
    """Scores of an evaluation; the tables of its batch until that has ended."""
    from allos.render.evaluation_table import evaluation_html, evaluation_text

    if not evaluation.batch.is_over:
        return batch_bundle(evaluation.batch)
    view = evaluation.view()
    return {"text/html": evaluation_html(view), "text/plain": evaluation_text(view)}


def batch_preview_bundle(preview: BatchPreview) -> dict[str, str]:
    """What a batch would send and cost."""
    from allos.render.plain import clean_text, escaped

    text = clean_text(str(preview))
    lines = "".join(f"<p>{escaped(line)}</p>" for line in text.splitlines())
    return {"text/html": f'<div class="allos-out">{lines}</div>', "text/plain": text}


def preview_bundle(preview: Preview) -> dict[str, str]:
    """Requests that would be sent."""
    from allos.render.plain import clean_text
    from allos.render.reports import RequestView, preview_html

    requests = [
        RequestView(
            method=planned.method,
            url=planned.url,
            headers=planned.headers,
            body=planned.body_text(),
            notes=planned.facts(),
        )
        for planned in preview.requests
    ]
    return {
        "text/html": preview_html(requests, preview.failures, preview.summary()),
        "text/plain": clean_text(str(preview)),
    }


def report_bundle(report: Report) -> dict[str, str]:
    """Findings of the doctor."""
    from allos.render.plain import clean_text
    from allos.render.reports import FindingView, report_html

    findings = [
        FindingView(area=each.area, status=each.status, text=each.message, fix=each.fix)
        for each in report.findings
    ]
    return {
        "text/html": report_html(findings, report.summary()),
        "text/plain": clean_text(str(report)),
    }


def frame_bundle(frame: pd.DataFrame) -> dict[str, str] | None:
    """Table of a frame of allos; None for any other, which IPython shows as if we were not there."""
    from allos.notebook.tables.recognise import table_of
    from allos.render.data_table import table_html, table_text

    try:
        table = table_of(frame)
    except Exception:  # noqa: BLE001 - its owner has put other values into our columns
        return None
    if table is None:
        return None
    return {"text/html": table_html(table), "text/plain": table_text(table)}


def frame_view_bundle(view: FrameView) -> dict[str, str]:
    """Table of the rows and columns that ``df.allos.show()`` shows, where nothing can be sorted."""
    bundle = frame_bundle(view.shown)
    if bundle is None:
        html = view.shown._repr_html_()  # type: ignore[operator]  # pandas-stubs has no such method
        bundle = {"text/html": str(html), "text/plain": repr(view)}
    return bundle


def replay_bundle(replay: Replay) -> dict[str, str]:
    """State of a replay file."""
    from allos.render.data_table import DataTable, table_html
    from allos.render.plain import clean_text

    text = clean_text(str(replay))
    if replay.path is None:
        return {
            "text/html": table_html(DataTable(title=text, heads=(), rows=())),
            "text/plain": text,
        }
    counts = (replay.recorded, replay.replayed, replay.requested, replay.unused)
    table = DataTable(
        title=f"{replay.path.name} ({replay.mode})",
        heads=("recorded", "replayed", "requested", "unused"),
        rows=[[f"{count:,}" for count in counts]],
        numbers=frozenset({"recorded", "replayed", "requested", "unused"}),
        note="Of this run, except recorded. %allos replay prune removes unused answers.",
    )
    return {"text/html": table_html(table), "text/plain": text}
