"""The answers of a scripted model, request by request, and the requests that it received."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import TypeAlias

from allos.errors import BadRequestError, ProviderError
from allos.request import Request
from allos.testing.answer import Answer

Entry: TypeAlias = str | Answer | ProviderError | type[ProviderError]
"""One answer: a string, an `Answer`, or an error with which the attempt fails."""

Reply: TypeAlias = Callable[[Request], Entry | Awaitable[Entry]]
"""Returns the answer to a request. It runs on allos's loop thread, so it must be quick, or async."""

ScriptLike: TypeAlias = Entry | Iterable[Entry] | Reply


class Script:
    """Answers in order, or by a function of the request. Safe to share between providers.

    Parameters
    ----------
    answers : str, Answer, ProviderError, iterable of those, or callable
        A single answer is returned for every request. Of several, each is returned once, in order; a
        request after the last one fails. A function is called with the request and returns the answer;
        it may be async.

    Examples
    --------
    >>> from allos.errors import RateLimitError
    >>> from allos.testing import Script, ScriptedProvider
    >>> script = Script([RateLimitError("slow down"), "Hello."])
    >>> response = ScriptedProvider(script).chat("Hi")
    >>> response.content, response.metadata["attempts"]
    ('Hello.', 2)
    >>> ScriptedProvider(lambda request: request.prompt.upper()).chat("Hi").content
    'HI'
    """

    def __init__(self, answers: ScriptLike) -> None:
        self.requests: list[Request] = []
        """All requests, in order, retries included."""
        self._reply: Reply
        if callable(answers) and not isinstance(answers, type):
            self._reply = answers
            return
        if isinstance(answers, Iterable) and not isinstance(answers, str):
            entries = [_checked(entry) for entry in answers]
            left = iter(entries)
            self._reply = lambda request: next(left, _exhausted(len(entries)))
        else:
            only = _checked(answers)
            self._reply = lambda request: only

    async def answer(self, request: Request) -> Answer:
        """Return the answer to a request, or raise its error. Loop thread.

        Raises
        ------
        ProviderError
            An error of the script, or the script has no answer left.
        """
        self.requests.append(request)
        entry = self._reply(request)
        if isawaitable(entry):
            entry = await entry
        entry = _checked(entry)
        if isinstance(entry, type):
            raise entry("The script says so.")
        if isinstance(entry, ProviderError):
            raise copy.copy(entry)  # the engine adds the names of its own call
        return Answer(entry) if isinstance(entry, str) else entry


def _exhausted(count: int) -> BadRequestError:
    return BadRequestError(
        f"The script has no answer left: it holds {count}, and each is used once. Retries use one each."
    )


def _checked(entry: object) -> Entry:
    if isinstance(entry, str | Answer | ProviderError):
        return entry
    if isinstance(entry, type) and issubclass(entry, ProviderError):
        return entry
    raise TypeError(
        "an answer of a script must be a string, an Answer or a ProviderError, not "
        f"{entry.__name__ if isinstance(entry, type) else type(entry).__name__}"
    )
