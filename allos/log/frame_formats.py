"""Frames for those who do not use pandas: Arrow tables and polars frames, without a copy where possible."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Literal, get_args

from allos.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

FrameFormat = Literal["pandas", "arrow", "polars"]
"""Libraries whose tables `allos.responses` returns."""

_PACKAGES = {"arrow": ("pyarrow",), "polars": ("pyarrow", "polars")}


def check_format(name: Any) -> FrameFormat:
    """Return a format, once it is one and its packages are installed.

    Raises
    ------
    ConfigurationError
        An unknown format, or a package that is not installed.
    """
    known = get_args(FrameFormat)
    if name not in known:
        raise ConfigurationError(
            f"format= must be one of {', '.join(known)}, got {name!r:.80}.{did_you_mean(str(name), known)}"
        )
    found: FrameFormat = name
    for package in _PACKAGES.get(found, ()):
        try:
            importlib.import_module(package)
        except ImportError:
            raise ConfigurationError(
                f"format={found!r} needs {package}: python -m pip install {package}"
            ) from None
    return found


def convert(frame: pd.DataFrame, name: FrameFormat) -> Any:
    """Return the frame in a format; null stays null, and times keep their zone."""
    if name == "pandas":
        return frame
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    # What pandas needs to make the same frame again would only confuse others.
    table = table.replace_schema_metadata(None)
    if name == "arrow":
        return table
    import polars as pl

    return pl.from_arrow(table)
