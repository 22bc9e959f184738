"""``%allos stop`` and ``%allos config``: what runs, and how it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.dtypes import text_dtype
from allos.session import current_session

if TYPE_CHECKING:
    import pandas as pd


def stop(args: tuple[str, ...]) -> pd.DataFrame:
    """Stop all running comparisons and batches and return one row for each; partial answers are kept."""
    import pandas as pd

    from allos.notebook.tables.stopped_table import COLUMNS
    from allos.runs.active_runs import stop_all

    rows = [
        (run.id, run.unanswered, run.answered, run.question)
        for run in list(current_session().active_runs)
    ]
    stop_all()
    frame = pd.DataFrame(rows, columns=["comparison_id", *COLUMNS])
    dtypes = {"stopped": "Int64", "answered": "Int64", "prompt": text_dtype()}
    return frame.astype({"comparison_id": text_dtype(), **dtypes}).set_index("comparison_id")


def config(args: tuple[str, ...]) -> pd.DataFrame:
    """Return the settings, and where each is set."""
    import pandas as pd

    from allos.settings import SETTINGS, user_file

    settings = current_session().settings
    values = settings.values()
    rows = [
        {
            "setting": name,
            "value": str(value) if (value := settings.get(name)) is not None else None,
            "set_by": values[name].source if name in values else None,
            "help": setting.help,
        }
        for name, setting in SETTINGS.items()
    ]
    frame = pd.DataFrame(rows).astype(text_dtype()).set_index("setting")
    frame.attrs["file"] = str(user_file())
    return frame
