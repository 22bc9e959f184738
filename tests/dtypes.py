"""Dtypes of frames as the pandas at hand names them."""

from __future__ import annotations

import pandas as pd

TEXT = "str" if int(pd.__version__.partition(".")[0]) >= 3 else "string"
"""The dtype of text."""


def named(dtypes: dict[str, str]) -> dict[str, str]:
    """Dtypes of the docs, where text is ``str``, as a frame has them here."""
    return {name: TEXT if dtype == "str" else dtype for name, dtype in dtypes.items()}
