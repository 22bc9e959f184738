"""Who rates: people by their names, and models that judge."""

from __future__ import annotations

from collections.abc import Iterable

from allos.errors import ConfigurationError, did_you_mean

JUDGE = "judge:"
"""How the name of a rater begins that is a model: its ratings and votes are not mixed with people's."""
_SHOWN = 5


def find_rater(name: object, known: Iterable[object]) -> str:
    """Name of a rater as the votes have it; of a judge also ``provider/model`` alone.

    Raises
    ------
    ConfigurationError
        Nobody of that name has voted; it names those who have.

    Examples
    --------
    >>> find_rater("groq/openai/gpt-oss-20b", ["ann", "judge:groq/openai/gpt-oss-20b"])
    'judge:groq/openai/gpt-oss-20b'
    """
    names = sorted({str(each) for each in known if isinstance(each, str)})
    for found in (name, f"{JUDGE}{name}"):
        if found in names:
            return str(found)
    voted = f" Votes are there of {', '.join(names[:_SHOWN])}." if names else " There are no votes."
    raise ConfigurationError(
        f"There is no vote of the rater {name!r:.80}.{did_you_mean(str(name), names)}{voted}"
    )


def is_judge(rater: object) -> bool:
    """Whether a rater is a model.

    Examples
    --------
    >>> is_judge("judge:groq/openai/gpt-oss-20b"), is_judge("ann"), is_judge(None)
    (True, False, False)
    """
    return isinstance(rater, str) and rater.startswith(JUDGE)
