"""A made-up day of calls, and votes on its answers: frames to try summaries, charts and code of your own on."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations, count, product
from typing import TYPE_CHECKING, Any

from allos.context import RunContext
from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, ProviderError, ProviderTimeoutError, RateLimitError
from allos.messages import Message, MessageRole
from allos.request import Request
from allos.response import ProviderResponse

if TYPE_CHECKING:
    import pandas as pd

_START = datetime(2026, 11, 18, 8, 0, tzinfo=UTC)
_HOURS = 10.0
_BUSY_HOURS = (2.5, 3.5)
"""In between one service refuses many calls."""
_CHANGED_AT_HOUR = 5.0
"""From here on one model answers at greater length."""
_TICKETS = (
    *(("I was charged twice for the {}.", "billing"), ("My bill for the {} is wrong.", "billing")),
    *(("Where is my {}? It is late.", "shipping"), ("My {} went to an old address.", "shipping")),
    *(("The {} is too small for me.", "returns"), ("I do not want the {} any more.", "returns")),
    *(("The {} does not switch on.", "technical"), ("How do I update my {}?", "technical")),
)
_THINGS = ("lamp", "camera", "watch", "phone", "speaker")
_TEAMS = {
    "billing": "It is about a payment.",
    "shipping": "It is about the delivery.",
    "returns": "The customer wants to send it back.",
    "technical": "The product does not do what it should.",
}
_VERSIONS = {
    "short": "Which team is this for?",
    "guided": "What does the customer want? Name a team.",
}
_OFFER = " I can also draft a reply to the customer, or a note to the team that explains the case in full."
_RATERS = ("ana", "ben")
_RATED = 0.9
"""Share of the answers that somebody rated."""
_REPEATS = 2
_MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Model:
    """What a model of the day is like."""

    provider: str
    name: str
    skill: float
    """Log odds of the right team, for a ticket of average difficulty."""
    seconds: float
    tokens: int
    usd_per_mtok: float | None
    """Price of output; None where nobody knows it."""


_MODELS = (
    _Model("openai", "gpt-5-mini", 2.2, 2.2, 140, 2.0),
    _Model("anthropic", "claude-haiku-4-5", 2.3, 1.3, 60, 5.0),
    _Model("groq", "llama-3.1-8b-instant", 0.8, 0.4, 45, 0.08),
    _Model("vllm", "qwen3-8b", 1.0, 1.0, 70, None),
)


def example_log(seed: int = 7) -> pd.DataFrame:
    """Made-up day of calls: forty support tickets, four models, two versions of a prompt, two repeats.

    Each call says which team a ticket is for. Costs of one model are unknown, one service refuses many
    calls for an hour, one model changes in the afternoon, and two people rated most answers, 1 for right
    and 0 for wrong. Nothing is asked, and nothing is written to the log.

    Parameters
    ----------
    seed : int
        The same seed gives the same frame.

    Returns
    -------
    pandas.DataFrame
        640 rows, oldest first, with the columns and dtypes of `allos.responses`. `tags` has the version of
        the prompt.

    Examples
    --------
    >>> day = example_log()
    >>> day.groupby("model").size().tolist()
    [160, 160, 160, 160]
    >>> day["status"].unique().tolist()
    ['ok', 'error']
    """
    import pandas as pd

    from allos.log.frame import frame_of

    chooser = random.Random(seed)
    calls = sorted(_calls(chooser), key=lambda call: (call[0].created_at, call[0].id))
    frame = frame_of([response for response, _ in calls])
    rated = [None if is_right is None else int(is_right) for _, is_right in calls]
    raters = [None if each is None else chooser.choice(_RATERS) for each in rated]
    frame["rating"] = pd.array(rated, dtype="Int64")
    frame["rater"] = pd.Series(raters, frame.index, dtype=text_dtype())
    return frame


def example_votes(seed: int = 7, *, raters: int = 8) -> pd.DataFrame:
    """Made-up votes on answers of the models of `example_log`.

    Parameters
    ----------
    seed : int
        The same seed gives the same frame.
    raters : int
        How many people voted; each on forty pairs of answers.

    Returns
    -------
    pandas.DataFrame
        Columns `rater`, `prompt`, `model_a`, `model_b` and `winner`, as `allos.analysis.leaderboard` takes
        them.

    Raises
    ------
    ConfigurationError
        Nobody votes.

    Examples
    --------
    >>> example_votes(raters=2)["rater"].unique().tolist()
    ['ana', 'ben']
    """
    import pandas as pd

    if raters < 1:
        raise ConfigurationError(
            f"example_votes(): raters= must be an integer >= 1, got {raters!r:.80}"
        )
    chooser = random.Random(seed)
    names = [*_RATERS, *(f"rater {number}" for number in range(3, raters + 1))][:raters]
    pairs = list(combinations(_MODELS, 2))
    rows = []
    for rater in names:
        taste = {model.name: chooser.gauss(0, 0.3) for model in _MODELS}
        for number, (text, thing) in enumerate(product([each[0] for each in _TICKETS], _THINGS)):
            a, b = chooser.sample(pairs[number % len(pairs)], 2)
            ahead = 0.9 * (a.skill - b.skill) + taste[a.name] - taste[b.name] + chooser.gauss(0, 1)
            winner = "tie" if abs(ahead) < 0.3 else "a" if ahead > 0 else "b"
            rows.append((rater, text.format(thing), a.name, b.name, winner))
    return pd.DataFrame(rows, columns=["rater", "prompt", "model_a", "model_b", "winner"])


@dataclass(frozen=True, slots=True)
class _Question:
    """A ticket with one version of the prompt, asked at one time of the day."""

    text: str
    team: str
    difficulty: float
    is_guided: bool
    hour: float


def _calls(chooser: random.Random) -> Iterator[tuple[ProviderResponse, bool | None]]:
    """Each call of the day, and whether its answer is right; None where nobody said."""
    call, asked = count(1), count(1)
    for (text, team), thing in product(_TICKETS, _THINGS):
        difficulty = chooser.gauss(0, 1.2)
        for version, instruction in _VERSIONS.items():
            prompt = f"{instruction}\n\n{text.format(thing)}"
            hour = chooser.uniform(0, _HOURS)
            question = _Question(prompt, team, difficulty, version == "guided", hour)
            comparison_id = f"cmp_example{next(asked):03d}"
            for model, sample in product(_MODELS, range(_REPEATS)):
                origin = RunContext(
                    session_id="example",
                    notebook="tickets.ipynb",
                    comparison_id=comparison_id,
                    sample_index=sample,
                    tags=(version,),
                )
                yield _call(chooser, f"01EXAMPLE{next(call):017d}", model, question, origin)


def _call(
    chooser: random.Random, id: str, model: _Model, question: _Question, origin: RunContext
) -> tuple[ProviderResponse, bool | None]:
    has_changed = model.name == "gpt-5-mini" and question.hour >= _CHANGED_AT_HOUR
    odds = model.skill - question.difficulty + 0.6 * question.is_guided
    is_right = chooser.random() < 1 / (1 + math.exp(-odds))
    others = [team for team in _TEAMS if team != question.team]
    said = question.team if is_right else chooser.choice(others)
    tokens = round(model.tokens * (1.6 if question.is_guided else 1) * chooser.uniform(0.7, 1.3))
    tokens += 60 * has_changed
    spread = math.exp(chooser.gauss(0, 0.3))
    latency_s = round(model.seconds * spread * math.sqrt(tokens / model.tokens), 3)
    delay_s = round(question.hour * 3600 + chooser.uniform(0, 2), 3)
    created_at = _START + timedelta(seconds=delay_s)
    error, attempts = _failure(chooser, model, question.hour)
    facts: dict[str, Any] = {
        "provider": model.provider,
        "model": model.name,
        "response_model": f"{model.name}-2026-1{int(has_changed)}",
        "api": "chat",
        "params": {"max_tokens": 400},
        "max_tokens": 400,
        "stream": True,
        "status": "ok" if error is None else "error",
        "attempts": attempts,
        "http_status": error.status_code if error is not None else 200,
        "latency_s": latency_s,
        "user": chooser.choice(_RATERS),
        "host": "example",
        "git_commit": None,
    }
    if error is None:
        facts |= _usage(model, tokens, 40 + len(question.text) // 4, latency_s)
    response = ProviderResponse(
        f"{said.capitalize()}. {_TEAMS[said]}{_OFFER * has_changed}" if error is None else "",
        metadata=facts,
        error=error,
        id=id,
        created_at=created_at,
        completed_at=created_at + timedelta(seconds=latency_s),
        request=Request(
            provider=model.provider,
            api="chat",
            base_url="",
            model=model.name,
            messages=(Message(role=MessageRole.USER, content=question.text),),
            params={"max_tokens": 400},
        ),
        context=origin,
    )
    is_rated = error is None and chooser.random() < _RATED
    return response, is_right if is_rated else None


def _usage(model: _Model, output: int, input: int, latency_s: float) -> dict[str, Any]:
    """What is known of an answered call: tokens, their cost, and how fast they came."""
    first_s = round(0.3 * latency_s, 3)
    price = model.usd_per_mtok
    return {
        "finish_reason": "stop",
        "input_tokens": input,
        "output_tokens": output,
        "total_tokens": input + output,
        "usage_source": "provider",
        "time_to_first_token_s": first_s,
        "tokens_per_second": round((output - 1) / (latency_s - first_s), 1),
        "cost_usd": None if price is None else (output + input / 8) * price / 1e6,
    }


def _failure(
    chooser: random.Random, model: _Model, hour: float
) -> tuple[ProviderError | None, int]:
    """Error of a call, if it has one, and how often it was tried."""
    is_busy = model.provider == "groq" and _BUSY_HOURS[0] <= hour < _BUSY_HOURS[1]
    refused = 0
    while refused < _MOST_ATTEMPTS and chooser.random() < (0.7 if is_busy else 0.02):
        refused += 1
    if refused == _MOST_ATTEMPTS:
        return RateLimitError("rate limit (429): too many requests", status_code=429), refused
    if model.provider == "vllm" and chooser.random() < 0.03:
        return ProviderTimeoutError("no data from the server for 30 s"), refused + 1
    return None, refused + 1
