from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from allos.render.comparison_summary import summary
from allos.render.comparison_tally import ComparisonTally
from allos.render.comparison_view import CellView, ColumnView
from allos.response import ProviderResponse
from tests.unit.render.comparison_views import finished, view_of

NUMBERS = st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.3, 1.0])


@st.composite
def _responses(draw: st.DrawFn) -> ProviderResponse:
    facts = {
        "status": draw(st.sampled_from(["ok", "ok", "error", "cancelled"])),
        "provider": draw(st.sampled_from(["groq", "groq", "local"])),
        "attempts": draw(st.sampled_from([0, 1, 2])),
        "latency_s": draw(NUMBERS),
        "cost_usd": draw(NUMBERS),
        "usage_source": draw(st.sampled_from(["provider", "estimated"])),
    }
    known = {name: value for name, value in facts.items() if value is not None}
    return ProviderResponse(metadata=known, replayed=draw(st.booleans()))


def test_the_median_of_a_column_leaves_out_waits_in_queues() -> None:
    """As the seconds below each answer do; who finished first is a matter of the whole time."""
    tally = ComparisonTally()
    for column in (0, 1):
        for queue_s in (5.0, 6.0 + column):
            facts = {"latency_s": 0.5, "queue_s": queue_s, "total_time_s": 0.5 + queue_s}
            tally.add(column, ProviderResponse("Hi", metadata=facts))

    assert tally.column_numbers(0) == "median 0.50 s"
    assert str(tally.summary(columns=2, cells=4).facts[0]) == "first to finish A 6.0 s"


@given(st.lists(st.tuples(st.integers(0, 2), _responses(), st.none() | _responses())))
def test_tally_equals_the_summary_of_all_cells(
    answers: list[tuple[int, ProviderResponse, ProviderResponse | None]],
) -> None:
    """In whichever order answers come, and with answers that were given up for new ones."""
    columns = [ColumnView(index=index, name="a/b") for index in range(3)]
    tally = ComparisonTally()
    cells = []
    for column, first, second in answers:
        tally.add(column, first)
        if second is not None:
            tally.remove(column, first)
            tally.add(column, second)
        cells.append(finished(second or first, column))
    cells.append(CellView(column=0))
    cells.sort(key=lambda cell: cell.column)  # as those of a comparison are
    seen = summary(view_of(columns, cells))

    assert tally.summary(columns=3, cells=len(cells)).facts == seen.facts
