"""``%allos batches``: the batches of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.runs import batches

if TYPE_CHECKING:
    import pandas as pd


def run(args: tuple[str, ...]) -> pd.DataFrame:
    """Return one row for each batch, with its state and cost."""
    return batches.batches()
