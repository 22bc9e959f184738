"""Which model votes say is best, and the pairs of answers that a model can be trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from allos.runs.voting import Source, votes_on

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class VoteDecision:
    """What the votes on a comparison come to; as text, one sentence.

    Attributes
    ----------
    model : str or None
        The one that is ahead of all others; None while the votes do not say so.
    votes : int
        How many votes it rests on: of people, or of the rater that was asked for.
    reason : str
        Why it is decided, or what is missing.
    ranking : pandas.DataFrame or None
        As `allos.analysis.leaderboard` returns it; None without votes.
    """

    model: str | None
    votes: int
    reason: str
    ranking: pd.DataFrame | None = None

    @property
    def decided(self) -> bool:
        """Whether one model is ahead of all others."""
        return self.model is not None

    def __str__(self) -> str:
        return f"{self.model}: {self.reason}" if self.model else f"undecided: {self.reason}"

    __repr__ = __str__


def decide(source: Source, rater: str | None = None) -> VoteDecision:
    """The best model by the votes of people on a comparison, or by those of one rater.

    Raises
    ------
    ConfigurationError
        There is no vote of the rater.
    """
    cast = votes_on(source, rater=rater)
    if not len(cast):
        judges = sorted(set(votes_on(source, judges=True)["rater"]))
        instead = f"; winner(rater={judges[0]!r}) is by the votes of a judge" if judges else ""
        reason = f"no votes yet. Vote on the board, or with allos.vote(){instead}"
        return VoteDecision(None, 0, reason)
    from allos.analysis import leaderboard

    count = len(cast)
    several = "vote" if count == 1 else "votes"
    if rater is not None:
        several += f" of {cast['rater'].iloc[0]}"
    if (cast["model_a"] == cast["model_b"]).all():
        return VoteDecision(
            None, count, f"{count} {several} between answers of one model, which rank no models"
        )
    ranked = leaderboard(cast)
    top = ranked.iloc[0]
    if top["rank_high"] == 1:
        return VoteDecision(
            str(top["model"]), count, f"ahead of all others after {count} {several}", ranked
        )
    shared = int((ranked["rank_low"] == 1).sum())
    notes = " ".join(ranked.attrs["notes"])
    reason = f"{shared} models share the first rank after {count} {several}. {notes}".strip()
    return VoteDecision(None, count, reason, ranked)


def preference_pairs(source: Source, frame: pd.DataFrame, *, judges: bool = False) -> pd.DataFrame:
    """Prompts with a chosen and a rejected answer, one row for each vote that prefers one."""
    import pandas as pd

    cast = votes_on(source, judges=judges)
    cast = cast[cast["winner"].isin(["a", "b"])]
    rows = frame.astype(object).where(frame.notna(), None).set_index("id")
    is_conversation = any(rows["system"]) if "system" in rows else False
    found: list[dict[str, Any]] = []
    for each in cast.to_dict("records"):
        best, worst = ("a", "b") if each["winner"] == "a" else ("b", "a")
        chosen, rejected = (rows.loc[each[f"response_{name}"]] for name in (best, worst))
        texts = (chosen["prompt"], chosen["content"], rejected["content"])
        if is_conversation:
            system = [_message("system", chosen["system"])] if chosen["system"] else []
            prompt = [*system, _message("user", texts[0])]
            answers = ([_message("assistant", text)] for text in texts[1:])
            found.append(dict(zip(_NAMES, (prompt, *answers), strict=True)))
        else:
            found.append(dict(zip(_NAMES, texts, strict=True)))
    return pd.DataFrame(found, columns=list(_NAMES))


_NAMES = ("prompt", "chosen", "rejected")
"""As trl's DPOTrainer and most other trainers name them."""


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
