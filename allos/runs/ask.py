"""`allos.ask`: one question, one answer, one row. Plain Python, no notebook needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from allos import context
from allos.errors import ConfigurationError
from allos.messages import Prompt, as_messages
from allos.providers import Provider
from allos.providers.waiting import aresult, result
from allos.response import ProviderResponse
from allos.runs.start import start_call
from allos.secret import sealed
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
        The question, with images and files in its order, or a whole conversation. Taken as it is:
        ``{{ }}`` means nothing here, and a text is never a path.
    model : str, Provider or None
        ``provider/model``, or a provider object. None: the configured default, else the embedded
        model ``local/smollm2``.
    system : str or None
        Instructions to the model.
    tools : sequence of callable, pydantic model class, mapping or Tool, or None
        Functions that the model may call: they run, with checked arguments, and their results go
        back until it answers. A function's docstring and type hints tell the model about it. A tool
        without a function ends the run, and its call comes back.
    tool_choice : str or None
        ``"auto"``, ``"none"``, ``"required"`` or a tool's name; the last two hold for the first step.
    max_steps : int
        Most calls of the model; each is a row of the log.
    approve : callable, ``"always"`` or None
        ``approve(call)`` says whether a call may run. None asks the person at the notebook; in a
        script, where nobody can be asked, your own functions run. Trusted tools (`allos.tool`) run.
    schema : type, mapping or None
        What the answer must be: a pydantic model, a dataclass, a TypedDict or a JSON schema. The
        value is `parsed` of the response.
    tags : sequence of str
        Words to find the row again: ``allos.responses(tags="draft")``.
    refresh : bool
        Ask even where the answer is recorded (`allos.replay`), and record the new one in its place.
    **params
        Parameters (`temperature`, `max_tokens` ...) and what a provider takes (`base_url`,
        `api_key`, `timeout_s`, `deadline_s`, `max_attempts`, `headers` ...); `strict` refuses
        parameters that the model does not take, where they are otherwise left out with a warning.

    Returns
    -------
    ProviderResponse

    Raises
    ------
    ConfigurationError
        Unknown provider or parameter, missing key; nothing was sent.
    ProviderError
        The call failed; `.response` holds what had arrived.
    SchemaError
        The answer does not match `schema`; `.response` holds its text.

    Examples
    --------
    ::

        answer = allos.ask("Name three primes.", model="local/smollm2", max_tokens=40)
        print(answer)
        allos.ask(["What is on it?", allos.Image(path="chart.png")], model="openai/gpt-5-mini")
    """
    sealed(params)
    requested = {"schema": schema, "refresh": refresh, **params}

    def send(messages: Prompt, more: Mapping[str, Any]) -> ProviderResponse:
        return result(start_call(messages, model=model, params={**requested, **more}))

    conversation = as_messages(prompt, system)
    with context.using(tags=normalize_tags(tags)):
        if not tools:
            return send(conversation, {"tool_choice": tool_choice})
        return run_tools(
            ToolLoop(
                conversation,
                tools,
                tool_choice=tool_choice,
                max_steps=max_steps,
                approve=approve,
                approvers=current_session().approvers,
            ),
            send,
        )


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

    sealed(params)
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
        return await arun_tools(
            ToolLoop(
                conversation,
                tools,
                tool_choice=tool_choice,
                max_steps=max_steps,
                approve=approve,
                approvers=current_session().approvers,
            ),
            send,
        )


def normalize_tags(tags: Any) -> tuple[str, ...]:
    """Tags as a tuple; a single one needs no list."""
    if isinstance(tags, str):
        return (tags,)
    if not isinstance(tags, Sequence | AbstractSet) or not all(isinstance(t, str) for t in tags):
        raise ConfigurationError(f"tags must be a string or a list of strings, got {tags!r:.80}")
    return tuple(tags)
