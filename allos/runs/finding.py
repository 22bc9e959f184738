"""A finding of `allos.doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check, and how to fix it."""

    area: str
    """``keys``, ``hosts``, ``log``, ``embedded model``, ``versions``, ``notebook``, ``settings``."""
    status: Status
    message: str
    """One line. Never contains a key."""
    fix: str | None = None
    """What to do, if anything."""

    def __str__(self) -> str:
        return self.message if self.fix is None else f"{self.message} {self.fix}"
