"""One fact that `allos.doctor` has found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact, and what to do about it."""

    area: str
    """``keys``, ``hosts``, ``log``, ``embedded model``, ``versions``, ``notebook``, ``settings``."""
    status: Status
    said: str
    """One line. Never holds a key."""
    fix: str | None = None
    """What to do, where there is something to do."""

    def __str__(self) -> str:
        return self.said if self.fix is None else f"{self.said} {self.fix}"
