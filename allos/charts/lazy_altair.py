"""Altair, imported when it is first used: it comes with an extra, and takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["alt"]


class _Altair:
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what inspects modules asks for those, with Altair and without
            raise AttributeError(name)
        import altair

        return getattr(altair, name)


if TYPE_CHECKING:
    import altair as alt
else:
    alt = _Altair()
