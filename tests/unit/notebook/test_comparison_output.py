from __future__ import annotations

from typing import Any

import pytest

import allos
from allos.errors import Interrupted
from allos.notebook import comparison_output
from allos.testing import Answer, Hold, ScriptedProvider


class Table:
    """A table in whose first update the stop button is pressed."""

    def __init__(self) -> None:
        self.updates = 0

    def update(self) -> None:
        self.updates += 1
        if self.updates == 1:
            raise KeyboardInterrupt


def test_interrupt_while_the_table_is_drawn() -> None:
    """It ends in the same one line as an interrupt of the wait; everything is stopped, and shown."""
    hold = Hold()
    models: list[Any] = [
        ScriptedProvider("Hi", model="quick"),
        ScriptedProvider(Answer(["some", hold, "more"]), model="slow"),
    ]
    comparison = allos.compare("Go", models=models)
    hold.wait_until_reached()
    table = Table()
    with pytest.raises(Interrupted, match="what had arrived is kept"):
        comparison_output._wait(table, comparison)  # type: ignore[arg-type]
    hold.release()

    assert comparison.wait(10).done
    assert comparison.responses[1].status == "cancelled"
    assert table.updates == 2
