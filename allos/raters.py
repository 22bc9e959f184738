"""Who rates: people by their names, and models that judge."""

from __future__ import annotations

JUDGE = "judge:"
"""How the name of a rater begins that is a model: its ratings and votes are not mixed with people's."""


def is_judge(rater: object) -> bool:
    """Whether a rater is a model.

    Examples
    --------
    >>> is_judge("judge:groq/openai/gpt-oss-20b"), is_judge("ann"), is_judge(None)
    (True, False, False)
    """
    return isinstance(rater, str) and rater.startswith(JUDGE)
