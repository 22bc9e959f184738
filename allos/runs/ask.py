"""`allos.ask`: one question, one answer, one row. Plain Python, no notebook needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from allos import context
from allos.errors import ConfigurationError
from allos.messages import Message, Prompt, as_messages
from allos.providers import Provider
from allos.providers.waiting import aresult, result
from allos.response import ProviderResponse
from allos.runs.start import start_call
from allos.secret import seal_secrets
from allos.session import current_session
from allos.tools.tool import Tools
from allos.tools.tool_loop import MAX_STEPS, Approve, ToolLoop, arun_tools, run_tools


def ask(
    prompt: Prompt,
    *,
    model: str | Provider | None = None,
    system: str | None = None,
    tools: Tools | None = None,
    tool_choice: str | None = None,
    max_steps: int = MAX_STEPS,
    approve: Approve | None = None,
    schema: Any = None,
    tags: Sequence[str] = (),
    refresh: bool = False,
    **params: Any,
) -> ProviderResponse:
    """Ask a model and wait for its answer, which is also a row of the log.

    Parameters
    ----------
    prompt : str, Image, File, sequence of those, or iterable of Message
        The question, with images and files in order, or a complete conversation. It is sent as it is:
        ``{{ }}`` is not expanded, and a string is never a path.
    model : str, Provider or None
        ``provider/model``, or a provider object. None: the configured default, else the embedded
        model ``local/smollm2``.
    system : str or None
        System message.
    tools : sequence of callable, pydantic model class, mapping or Tool, or None
        Functions that the model may call: they run, with validated arguments, and their results are
        sent back until it answers. A function's docstring and type hints are its description for the
        model. A call of a tool without a function is returned.
    tool_choice : str or None
        ``"auto"``, ``"none"``, ``"required"`` or a tool's name; the last two apply to the first step.
    max_steps : int
        Limit for the calls of the model; each is a row of the log.
    approve : callable, ``"always"`` or None
        ``approve(call)`` returns whether a call may run. None: ask the user of the notebook; in a
        script, tools run without approval. Trusted tools (`allos.tool`) always run.
    schema : type, mapping or None
        Type of the answer: a pydantic model, a dataclass, a TypedDict or a JSON schema. Its value is
        `parsed` of the response.
    tags : sequence of str
        Tags of the row of the log: ``allos.responses(tags="draft")``.
    refresh : bool
        Send the request even if an answer is recorded (`allos.replay`), and record the new one.
    **params
        Parameters (`temperature`, `max_tokens` ...) and options of a provider (`base_url`, `api_key`,
        `timeout_s`, `deadline_s`, `max_attempts`, `headers` ...); with `strict`, parameters that the
        model does not support raise instead of being left out with a warning.

    Returns
    -------
    ProviderResponse

    Raises
    ------
    ConfigurationError
        Unknown provider or parameter, missing API key; nothing was sent.
    ProviderError
        The call failed; `.response` is the partial response.
    SchemaError
        The answer does not match `schema`; `.response` has its text.

    Examples
    --------
    ::

        answer = allos.ask("Name three primes.", model="local/smollm2", max_tokens=40)
        print(answer)
        allos.ask(["What is on it?", allos.Image(path="chart.png")], model="openai/gpt-5-mini")
    """
    seal_secrets(params)
    requested = {"schema": schema, "refresh": refresh, **params}

    def send(messages: Prompt, more: Mapping[str, Any]) -> ProviderResponse:
        return result(start_call(messages, model=model, params={**requested, **more}))

    conversation = as_messages(prompt, system)
    with context.using(tags=normalize_tags(tags)):
        if not tools:
            return send(conversation, {"tool_choice": tool_choice})
        return run_tools(_tool_loop(conversation, tools, tool_choice, max_steps, approve), send)


async def aask(
    prompt: Prompt,
    *,
    model: str | Provider | None = None,
    system: str | None = None,
    tools: Tools | None = None,
    tool_choice: str | None = None,
    max_steps: int = MAX_STEPS,
    approve: Approve | None = None,
    schema: Any = None,
    tags: Sequence[str] = (),
    refresh: bool = False,
    **params: Any,
) -> ProviderResponse:
    """Ask a model and await its answer; see `ask`.

    Examples
    --------
    ::

        answer = await allos.aask("Name three primes.", model="local/smollm2")
    """
    import asyncio

    seal_secrets(params)
    requested = {"schema": schema, "refresh": refresh, **params}

    async def send(messages: Prompt, more: Mapping[str, Any]) -> ProviderResponse:
        # Imports, opening the log and starting a server would block the caller's event loop.
        call = await asyncio.to_thread(
            start_call, messages, model=model, params={**requested, **more}
        )
        return await aresult(call)

    conversation = as_messages(prompt, system)
    with context.using(tags=normalize_tags(tags)):
        if not tools:
            return await send(conversation, {"tool_choice": tool_choice})
        loop = _tool_loop(conversation, tools, tool_choice, max_steps, approve)
        return await arun_tools(loop, send)


def _tool_loop(
    conversation: tuple[Message, ...],
    tools: Tools,
    tool_choice: str | None,
    max_steps: int,
    approve: Approve | None,
) -> ToolLoop:
    session = current_session()
    return ToolLoop(
        conversation,
        tools,
        tool_choice=tool_choice,
        max_steps=max_steps,
        approve=approve,
        approvers=session.approvers,
        always_allowed=session.always_allowed_tools,
    )


def normalize_tags(tags: Any) -> tuple[str, ...]:
    """Tags as a tuple; accepts a single string."""
    if isinstance(tags, str):
        return (tags,)
    if not isinstance(tags, Sequence | AbstractSet) or not all(isinstance(t, str) for t in tags):
        raise ConfigurationError(f"tags must be a string or a list of strings, got {tags!r:.80}")
    return tuple(tags)
