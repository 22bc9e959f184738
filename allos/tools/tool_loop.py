"""The tool loop: the model calls tools, they run, their results are sent back, until it answers.

Implemented once without I/O (`ToolLoop`); two small drivers, `run_tools` and `arun_tools`, make the calls.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any, Literal

from allos import context
from allos.errors import (
    ConfigurationError,
    Interrupted,
    ProviderError,
    SchemaError,
    ToolError,
    did_you_mean,
)
from allos.ids import new_id
from allos.messages import Message, MessageRole, ToolCall
from allos.response import ProviderResponse
from allos.tools.tool import Tool, as_tools, check_tool_choice
from allos.tools.tool_results import error_text, result_text, run_in_thread

Approve = Callable[[ToolCall], bool | Awaitable[bool]] | Literal["always"]
"""Returns whether a call may run; or ``"always"``."""

Approver = Callable[[ToolCall], bool | Literal["always"] | None]
"""Returns whether a call may run; ``"always"``: this one and all later ones of its function; None: no decision."""

MAX_STEPS = 8
_ANY_TOOL = ("auto", "none")


class ToolLoop:
    """State of a tool loop: the conversation, the responses, and the next step.

    Parameters
    ----------
    messages : tuple of Message
        The conversation so far.
    tools : sequence
        As in `tools=`.
    tool_choice : str or None
        As in `tool_choice=`; a call is forced only once, else the model could never answer.
    max_steps : int
        Limit for the calls of the model.
    approve : callable, ``"always"`` or None
        Called before each call of a tool that is not trusted. None: the approvers decide.
    approvers : sequence of callable
        Called in order if `approve` is None; one asks the user of the notebook. The first decision that
        is not None counts; without a decision, tools run.
    always_allowed : list of callable
        Functions that the approvers are not asked about; ``"always"`` adds one.

    Attributes
    ----------
    steps : list of ProviderResponse
        One per call of the model.
    """

    def __init__(
        self,
        messages: tuple[Message, ...],
        tools: Sequence[Any],
        *,
        tool_choice: str | None = None,
        max_steps: int = MAX_STEPS,
        approve: Approve | None = None,
        approvers: Sequence[Approver] = (),
        always_allowed: list[Callable[..., Any]] | None = None,
    ) -> None:
        check_loop_options(max_steps, approve)
        self.messages = messages
        self.steps: list[ProviderResponse] = []
        self._tools = {tool.name: tool for tool in as_tools(tools)}
        self._choice = check_tool_choice(tool_choice, tuple(self._tools.values()))
        self._max_steps = max_steps
        self._approve = approve
        self._approvers = approvers
        self._always_allowed = [] if always_allowed is None else always_allowed
        self._undecided: str | None = None  # tool that the user is being asked about
        self._approval_s = 0.0
        self._conversation = context.current().conversation_id or f"conv_{new_id()}"

    # ---- calls of the model ---------------------------------------------------------------------

    @property
    def call_options(self) -> dict[str, Any]:
        """`tools` and `tool_choice` of the next call."""
        return {"tools": tuple(self._tools.values()), "tool_choice": self._choice}

    def call_context(self) -> Any:
        """Context of the next call: its row is linked to the one before."""
        parent = {"parent_id": self.steps[-1].id} if self.steps else {}
        return context.using(conversation_id=self._conversation, **parent)

    def add_response(self, response: ProviderResponse) -> list[ToolCall]:
        """Append a response; returns the tool calls to run, none at the end of the loop."""
        self.steps.append(response)
        calls = response.tool_calls
        if not calls or any(map(self._is_described, calls)):
            return []
        if len(self.steps) >= self._max_steps:
            warnings.warn(
                f"stopped after max_steps={self._max_steps} calls of the model; its last tool calls "
                "were not run, see .tool_calls",
                UserWarning,
                stacklevel=4,
            )
            return []
        if self._choice not in _ANY_TOOL:
            self._choice = None
        self.messages = (*self.messages, response.to_message())
        return list(calls)

    def goes_on(self, response: ProviderResponse) -> bool:
        """Whether another call of the model follows, once this response is added."""
        calls = response.tool_calls
        is_run = bool(calls) and not any(map(self._is_described, calls))
        return is_run and len(self.steps) + 1 < self._max_steps

    def add_results(self, results: Sequence[Message]) -> None:
        """Append the results of the tools, in the order of the calls."""
        self.messages = (*self.messages, *results)

    def final_response(self) -> ProviderResponse:
        """The last response, with all steps."""
        return replace(self.steps[-1], steps=tuple(self.steps), approval_s=self._approval_s)

    def failed(self, exc: ProviderError | SchemaError | Interrupted) -> None:
        """Attach all steps to an error, the failed one last."""
        if exc.response is not None:
            self.steps.append(exc.response)
            exc.response = self.final_response()

    def interrupted(self) -> Interrupted:
        """Exception for a run that was interrupted between two calls of the model."""
        state = (
            "a tool that was started may still be running"
            if self._undecided is None
            else f"{self._undecided!r} was not run"
        )
        return Interrupted(
            f"Interrupted: {state}; the steps so far are kept.",
            self.final_response() if self.steps else None,
        )

    # ---- calls of tools ----------------------------------------------------------------------

    def check_call(self, call: ToolCall) -> tuple[Tool, dict[str, Any]]:
        """Return the tool of a call and its validated arguments.

        Raises
        ------
        ToolError
            Unknown tool or invalid arguments; the message is meant for the model.
        """
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolError(
                f"there is no tool {call.name!r}.{did_you_mean(call.name, self._tools)} "
                f"The tools are {', '.join(self._tools)}."
            )
        if call.error is not None:
            raise ToolError(call.error)
        return tool, tool.check(call.arguments)

    @contextmanager
    def deciding(self, call: ToolCall) -> Iterator[None]:
        """Measure a ``with`` block that decides whether a call may run, and know of it when it is interrupted."""
        self._undecided = call.name
        start = perf_counter()
        try:
            yield
            self._undecided = None
        finally:
            self._approval_s += perf_counter() - start

    def is_allowed(self, tool: Tool, call: ToolCall) -> bool | Awaitable[bool]:
        """Whether a call may run; may ask the user. Caller's thread."""
        if tool.trusted or self._approve == "always":
            return True
        if callable(self._approve):
            return self._approve(call)
        # The function, not its name: another one of that name was not allowed.
        if tool.function in self._always_allowed:
            return True
        for approver in self._approvers:
            decision = approver(call)
            if decision == "always" and tool.function is not None:
                self._always_allowed.append(tool.function)
            if decision is not None:
                return bool(decision)
        return True

    def _is_described(self, call: ToolCall) -> bool:
        tool = self._tools.get(call.name)
        return tool is not None and tool.function is None


Send = Callable[[tuple[Message, ...], Mapping[str, Any]], ProviderResponse]
ASend = Callable[[tuple[Message, ...], Mapping[str, Any]], Awaitable[ProviderResponse]]


def run_tools(loop: ToolLoop, send: Send) -> ProviderResponse:
    """Run a loop to its end. Tools run one after the other, each on its own thread.

    Parameters
    ----------
    loop : ToolLoop
    send : callable
        Calls the model, given the messages, and `tools` and `tool_choice` of the call.

    Raises
    ------
    ProviderError, SchemaError
        A call of the model failed; `.response.steps` has all responses.
    Interrupted
        Interrupted by the user; `.response.steps` has all responses.
    """
    try:
        while True:
            with loop.call_context():
                response = send(loop.messages, loop.call_options)
            calls = loop.add_response(response)
            if not calls:
                return loop.final_response()
            loop.add_results(run_calls(loop, calls))
    except (ProviderError, SchemaError, Interrupted) as exc:
        loop.failed(exc)
        raise
    except KeyboardInterrupt:
        stopped = loop.interrupted()
    raise stopped


def run_calls(loop: ToolLoop, calls: Sequence[ToolCall]) -> list[Message]:
    """Run the tools of some calls, one after the other, and return the messages with their results."""
    return [_tool_message(call, _outcome(loop, call)) for call in calls]


async def arun_tools(loop: ToolLoop, send: ASend) -> ProviderResponse:
    """Run a loop to its end; see `run_tools`. Async tools run on the caller's event loop."""
    try:
        while True:
            with loop.call_context():
                response = await send(loop.messages, loop.call_options)
            calls = loop.add_response(response)
            if not calls:
                return loop.final_response()
            loop.add_results([_tool_message(call, await _aoutcome(loop, call)) for call in calls])
    except (ProviderError, SchemaError) as exc:
        loop.failed(exc)
        raise


_DENIED = "The user did not allow this call."


def _outcome(loop: ToolLoop, call: ToolCall) -> str:
    try:
        tool, arguments = loop.check_call(call)
    except ToolError as exc:
        return error_text(exc)
    with loop.deciding(call):
        allowed = loop.is_allowed(tool, call)
    if inspect.isawaitable(allowed):
        if inspect.iscoroutine(allowed):
            allowed.close()
        raise ConfigurationError("approve is async: use allos.aask, or a plain function.")
    if not _as_decision(allowed):
        return _DENIED
    try:
        return result_text(run_in_thread(tool, arguments))
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - any error of a tool is sent to the model
        return error_text(exc)


async def _aoutcome(loop: ToolLoop, call: ToolCall) -> str:
    import asyncio

    try:
        tool, arguments = loop.check_call(call)
    except ToolError as exc:
        return error_text(exc)
    with loop.deciding(call):
        allowed = loop.is_allowed(tool, call)
        decision = await allowed if inspect.isawaitable(allowed) else allowed
    if not _as_decision(decision):
        return _DENIED
    try:
        if inspect.iscoroutinefunction(tool.function):
            return result_text(await tool.function(**arguments))
        value = await asyncio.to_thread(tool, **arguments)
        return result_text(await value if inspect.isawaitable(value) else value)
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - any error of a tool is sent to the model
        return error_text(exc)


def _as_decision(decision: object) -> bool:
    """Return a decision as a bool; a string, as from `input`, would always be true."""
    if isinstance(decision, str):
        raise ConfigurationError(
            f"approve must return True or False, got the string {decision!r:.80}"
        )
    return bool(decision)


def check_loop_options(max_steps: object, approve: object) -> None:
    """Validate `max_steps` and `approve`.

    Raises
    ------
    ConfigurationError
        One of them has an invalid value.
    """
    if isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < 1:
        raise ConfigurationError(f"max_steps must be an integer >= 1, got {max_steps!r:.80}")
    if approve is not None and approve != "always" and not callable(approve):
        raise ConfigurationError(f"approve must be a function or 'always', got {approve!r:.80}")


def _tool_message(call: ToolCall, text: str) -> Message:
    return Message(MessageRole.TOOL, text, tool_call_id=call.id)
