"""One answer of a script: its text in pieces, the other parts of the response, how it fails."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from allos.errors import ProviderError
from allos.events import FinishReason, ResponseFacts
from allos.messages import ToolCall
from allos.usage import Usage

if TYPE_CHECKING:
    import asyncio

_WORD = re.compile(r"\s*\S+|\s+\Z")


class Hold:
    """A position in an answer at which the stream waits until the test calls `release`.

    For tests of what happens meanwhile: cancellation, display of partial answers, other calls.

    Examples
    --------
    >>> import allos
    >>> from allos.testing import Answer, Hold, ScriptedProvider
    >>> hold = Hold()
    >>> run = allos.compare("Hi", models=[ScriptedProvider(Answer(["Hel", hold, "lo"]))])
    >>> hold.wait_until_reached()
    >>> run.done
    False
    >>> hold.release()
    >>> run.wait(timeout_s=10).responses[0].content
    'Hello'
    """

    def __init__(self) -> None:
        self._lock = (
            threading.Lock()
        )  # guards the two below: an answer that arrives late must not wait for ever
        self._is_released = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._reached = threading.Event()

    def release(self) -> None:
        """Let all answers that wait here continue, and those that arrive later. Any thread."""
        with self._lock:
            self._is_released = True
            waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            loop.call_soon_threadsafe(_finish, future)

    def wait_until_reached(self, timeout_s: float = 10.0) -> None:
        """Wait until an answer has arrived here. Any thread but allos's own.

        Raises
        ------
        TimeoutError
            None arrived within `timeout_s` seconds.
        """
        if not self._reached.wait(timeout_s):
            raise TimeoutError(f"no answer arrived at this Hold within {timeout_s:g} s")

    async def pass_through(self) -> None:
        """Wait for `release`. Loop thread."""
        import asyncio

        loop = asyncio.get_running_loop()
        with self._lock:
            future = None if self._is_released else loop.create_future()
            if future is not None:
                self._waiting.append((loop, future))
        self._reached.set()
        if future is not None:
            await future


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():  # its call may have been cancelled
        future.set_result(None)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request.

    Parameters
    ----------
    content : str or sequence of str and Hold
        The text. A sequence is streamed piece by piece, a string word by word.
    reasoning : str
        The model's reasoning, before the text.
    refusal : str
        The text in which the model declines to answer.
    tool_calls : sequence of ToolCall
        Tool calls that the model requests.
    usage : Usage or None
        Token counts; None: not reported.
    finish_reason : str or None
        Why it ended; None is ``"tool_calls"`` if there are any, else ``"stop"``.
    facts : ResponseFacts
        Further facts of the reply: `response_model`, `request_id`, `cost_usd` ...
    error : ProviderError or None
        The error with which the call fails after the content.
    cut : bool
        End without the end signal, as when a connection breaks.
    first_delay_s, delay_s : float
        Seconds until the first piece, and between two pieces. They are not waited for, but the
        response's `latency_s`, `time_to_first_token_s` and `tokens_per_second` include them.

    Examples
    --------
    >>> from allos.testing import Answer, ScriptedProvider
    >>> answer = Answer(["4", "2"], usage=Usage(input_tokens=9, output_tokens=2), first_delay_s=1.5)
    >>> response = ScriptedProvider(answer).chat("6 x 7?")
    >>> response.content, response.usage.output_tokens, response.metadata["latency_s"]
    ('42', 2, 1.5)
    """

    content: str | Sequence[str | Hold] = ""
    _: KW_ONLY
    reasoning: str = ""
    refusal: str = ""
    tool_calls: Sequence[ToolCall] = ()
    usage: Usage | None = None
    finish_reason: FinishReason | None = None
    facts: ResponseFacts = field(default_factory=ResponseFacts)
    error: ProviderError | None = None
    cut: bool = False
    first_delay_s: float = 0.0
    delay_s: float = 0.0

    @property
    def pieces(self) -> list[str | Hold]:
        """The content in the pieces in which it is streamed."""
        if isinstance(self.content, str):
            return list(_WORD.findall(self.content))
        return list(self.content)
