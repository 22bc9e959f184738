"""Altair, imported when it is first used: it comes with an extra, and takes a second."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["alt", "load"]

_SLOW = "rfc3987_syntax"
"""Checks IRIs for jsonschema, which Altair imports. It builds its parser as it is imported, which takes
seconds; JupyterLab installs it, and no chart has an IRI."""


class _Altair:
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what inspects modules asks for those, with Altair and without
            raise AttributeError(name)
        with _without_parser():
            import altair

        return getattr(altair, name)


if TYPE_CHECKING:
    import altair as alt
else:
    alt = _Altair()


def load() -> None:
    """Import Altair and vl-convert, which starts to read the machine's fonts meanwhile.

    Raises
    ------
    ImportError
        One of them is not installed.
    """
    is_first = "vl_convert" not in sys.modules
    if importlib.util.find_spec("altair") is None:
        raise ModuleNotFoundError("No module named 'altair'", name="altair")
    vl_convert = importlib.import_module("vl_convert")
    if is_first:
        threading.Thread(
            target=_draw_nothing, args=(vl_convert,), name="allos-fonts", daemon=True
        ).start()
    with _without_parser():
        importlib.import_module("altair")


def _draw_nothing(vl_convert: Any) -> None:
    vl_convert.vega_to_svg({"marks": []})


@contextmanager
def _without_parser() -> Iterator[None]:
    """While jsonschema is imported, let a module stand for the slow one, which is imported when it is used."""
    if "jsonschema" in sys.modules or _SLOW in sys.modules:
        yield
        return
    stand_in = ModuleType(_SLOW)
    stand_in.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]
    if importlib.util.find_spec(_SLOW) is not None:
        sys.modules[_SLOW] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(_SLOW) is stand_in:
            del sys.modules[_SLOW]


def _is_valid_syntax(term: str, value: str) -> bool:
    found: bool = importlib.import_module(_SLOW).is_valid_syntax(term, value)
    return found
