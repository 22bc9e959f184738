"""`allos.doctor`: checks the setup, and says how to fix problems. Never raises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allos.dtypes import text_dtype
from allos.runs.finding import Finding, Status

if TYPE_CHECKING:
    import pandas as pd

_SIGNS: dict[Status, str] = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """Findings of `allos.doctor`; prints as text, and as a DataFrame is `frame`."""

    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Findings with status ``"problem"``."""
        return tuple(each for each in self.findings if each.status == "problem")

    @property
    def frame(self) -> pd.DataFrame:
        """One row per finding: `area`, `status`, `message`, `fix`, all strings."""
        import pandas as pd

        rows = [(each.area, each.status, each.message, each.fix) for each in self.findings]
        return pd.DataFrame(rows, columns=["area", "status", "message", "fix"], dtype=text_dtype())

    def summary(self) -> str:
        """One line: the number of problems and notes."""
        count = Counter(each.status for each in self.findings)
        problems, notes = count["problem"], count["note"]
        text = "no problem" if not problems else f"{problems} problem{'s' * (problems > 1)}"
        return f"{text}, {notes} note{'s' * (notes != 1)}" if notes else text

    def __str__(self) -> str:
        lines = [f"allos doctor: {self.summary()}"]
        area = None
        for each in self.findings:
            if each.area != area:
                area = each.area
                lines += ["", area]
            lines.append(f"  {_SIGNS[each.status]:<7}  {each}")
        return "\n".join(lines)

    __repr__ = __str__


def doctor(*, online: bool = False) -> Report:
    """Check keys, hosts, the log, the embedded model, versions and settings.

    Takes less than a second, sends nothing, changes nothing, and never raises.

    Parameters
    ----------
    online : bool
        Also list the models of each service with a key (no prompt is sent), and start the embedded
        model.

    Returns
    -------
    Report

    Examples
    --------
    >>> {finding.status for finding in doctor().findings} <= {"ok", "note", "problem"}
    True
    """
    found: list[Finding] = []
    for check in _checks():
        found += _guarded(check.__name__, lambda check=check: check(online))  # type: ignore[misc]  # bound at once
    return Report(tuple(found))


def _checks() -> tuple[Callable[[bool], Iterable[Finding]], ...]:
    """One check for each area, in the order in which they are reported."""
    from allos.runs.checks.embedded_model import embedded_model
    from allos.runs.checks.frontend import notebook
    from allos.runs.checks.keys import keys
    from allos.runs.checks.log import log
    from allos.runs.checks.packages import versions
    from allos.runs.checks.services import hosts
    from allos.runs.checks.settings import settings

    return (keys, hosts, log, embedded_model, versions, notebook, settings)


def _guarded(name: str, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except Exception as exc:  # noqa: BLE001 - a failing check must not prevent the others
        message = f"This check failed ({type(exc).__name__})."
        return [Finding(name.replace("_", " "), "problem", message, "Please report it.")]
