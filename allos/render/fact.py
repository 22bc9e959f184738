"""One short fact of a call or a comparison, as a table or a board shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A value, with quiet words around it.

    Examples
    --------
    >>> print(Fact("$0.12", before="spent"))
    spent $0.12
    """

    text: str
    before: str = ""
    """Words before the value."""
    after: str = ""
    """Words after the value."""
    hint: str = ""
    """What to show on hover, such as why a cost is unknown."""

    def __str__(self) -> str:
        return " ".join(part for part in (self.before, self.text, self.after) if part)
