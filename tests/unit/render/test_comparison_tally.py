from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from allos.render.comparison_facts import summary
from allos.render.comparison_tally import ComparisonTally
from allos.response import ProviderResponse

NUMBERS = st.none() | st.sampled_from([0.0, 0.1, 0.25, 0.3, 1.0])


@st.composite
def _responses(draw: st.DrawFn) -> ProviderResponse:
    facts = {
        "status": draw(st.sampled_from(["ok", "ok", "error", "cancelled"])),
        "attempts": draw(st.sampled_from([0, 1, 2])),
        "latency_s": draw(NUMBERS),
        "cost_usd": draw(NUMBERS),
        "usage_source": draw(st.sampled_from(["provider", "estimated"])),
    }
    known = {name: value for name, value in facts.items() if value is not None}
    return ProviderResponse(metadata=known, replayed=draw(st.booleans()))


@given(st.lists(st.tuples(st.integers(0, 2), _responses(), st.none() | _responses())))
def test_tally_says_what_a_look_at_all_cells_says(
    answers: list[tuple[int, ProviderResponse, ProviderResponse | None]],
) -> None:
    """In whichever order answers come, and with answers that were given up for new ones."""
    columns = [SimpleNamespace(index=index) for index in range(3)]
    tally = ComparisonTally()
    cells = []
    for column, first, second in answers:
        tally.add(column, first)
        if second is not None:
            tally.remove(column, first)
            tally.add(column, second)
        cells.append(SimpleNamespace(column=columns[column], response=second or first))
    cells.append(SimpleNamespace(column=columns[0], response=None))
    cells.sort(key=lambda cell: cell.column.index)  # as those of a comparison are
    seen = summary(cast(Any, SimpleNamespace(columns=columns, cells=cells)))

    assert tally.summary(columns=3, cells=len(cells)).facts == seen.facts
