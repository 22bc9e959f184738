"""`allos.ask`: one question, one answer, one row. Plain Python, no notebook needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from allos import context
from allos.engine.call import Call
from allos.errors import ConfigurationError
from allos.events import Event
from allos.messages import Prompt, as_messages
from allos.options import OVERRIDABLE_OPTIONS
from allos.providers import Provider
from allos.providers.waiting import aresult, result
from allos.response import ProviderResponse
from allos.secret import sealed
from allos.session import current_session
from allos.tools.tool import Tools
from allos.tools.tool_loop import MAX_STEPS, Approve, Loop, arun, run


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
    asked = {"schema": schema, "refresh": refresh, **params}

    def send(messages: Prompt, more: Mapping[str, Any]) -> ProviderResponse:
        return result(begin(messages, model=model, system=None, params={**asked, **more}))

    turns = as_messages(prompt, system)
    with _about(tags):
        if not tools:
            return send(turns, {"tool_choice": tool_choice})
        return run(
            Loop(
                turns,
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
    asked = {"schema": schema, "refresh": refresh, **params}

    async def send(messages: Prompt, more: Mapping[str, Any]) -> ProviderResponse:
        # Imports, opening the log and starting a server would block the caller's event loop.
        call = await asyncio.to_thread(
            begin, messages, model=model, system=None, params={**asked, **more}
        )
        return await aresult(call)

    turns = as_messages(prompt, system)
    with _about(tags):
        if not tools:
            return await send(turns, {"tool_choice": tool_choice})
        return await arun(
            Loop(
                turns,
                tools,
                tool_choice=tool_choice,
                max_steps=max_steps,
                approve=approve,
                approvers=current_session().approvers,
            ),
            send,
        )


def begin(
    prompt: Prompt,
    *,
    model: str | Provider | None,
    system: str | None,
    params: Mapping[str, Any],
    emit: Callable[[Sequence[Event]], None] | None = None,
) -> Call:
    """Start one call and return its handle; `emit` makes it a stream. For magics and comparisons."""
    constructor, rest = checked_constructor(model, params)
    session = current_session()
    session.open_log()
    provider = session.provider_for(model, **constructor)
    return provider.start(as_messages(prompt, system), rest, emit)


def checked_constructor(
    model: str | Provider | None, params: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split keywords into those of a provider and those of a call."""
    constructor: dict[str, Any] = {
        k: v for k, v in params.items() if k in OVERRIDABLE_OPTIONS and v is not None
    }
    rest = {k: v for k, v in params.items() if k not in OVERRIDABLE_OPTIONS}
    if constructor and isinstance(model, Provider):
        raise ConfigurationError(
            f"{', '.join(constructor)} cannot be set for a provider object that is already built."
        )
    return constructor, rest


def _about(tags: Sequence[str]) -> Any:
    return context.using(tags=normalize_tags(tags))


def normalize_tags(tags: Any) -> tuple[str, ...]:
    """Tags as a tuple; a single one needs no list."""
    if isinstance(tags, str):
        return (tags,)
    if not isinstance(tags, Sequence | AbstractSet) or not all(isinstance(t, str) for t in tags):
        raise ConfigurationError(f"tags takes a text or a list of texts, not {tags!r:.80}.")
    return tuple(tags)
