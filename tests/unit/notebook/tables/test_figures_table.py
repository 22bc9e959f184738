"""Figures of calls as a table: what the embedded model answers is free, and no sum of money."""

from __future__ import annotations

import pandas as pd

from allos.notebook.tables.figures_table import table
from allos.render.data_table import table_text


def test_the_embedded_model_is_free() -> None:
    """By provider and by setting; a hosted model whose cost is 0 is not called so."""
    figures = {"calls": 2, "cost_usd": 0.0, "cost_per_call_usd": 0.0}
    by_provider = table(pd.DataFrame([{"provider": each, **figures} for each in ("local", "groq")]))
    by_setting = table(
        pd.DataFrame([{"setting": each, **figures} for each in ("local/a (seed 1)", "groq/a")])
    )

    for found in (by_provider, by_setting):
        assert [list(row[-2:]) for row in found.rows] == [["free", ""], ["$0", "$0"]]
        assert "free" in table_text(found)
