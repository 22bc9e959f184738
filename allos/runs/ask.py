"""`allos.ask`: one question, one answer, one row. Plain Python, no notebook needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from allos import context, session
from allos.engine.call import Call
from allos.errors import ConfigurationError
from allos.providers import Provider
from allos.providers.faces import aresult, result
from allos.providers.provider import CONSTRUCTOR
from allos.types import Event, Message, ProviderResponse, as_messages

Prompt = str | Iterable[Message]


def ask(
    prompt: Prompt,
    *,
    model: str | Provider | None = None,
    system: str | None = None,
    tags: Sequence[str] = (),
    **params: Any,
) -> ProviderResponse:
    """Ask a model and wait for its answer, which is also a row of the log.

    Parameters
    ----------
    prompt : str or iterable of Message
        The question, or a whole conversation. Taken as it is: ``{{ }}`` means nothing here.
    model : str, Provider or None
        ``provider/model``, or a provider object. None: the configured default, else the embedded
        model ``local/smollm2``.
    system : str or None
        Instructions to the model.
    tags : sequence of str
        Words to find the row again: ``allos.responses(tags="draft")``.
    **params
        Parameters (`temperature`, `max_tokens` ...) and what a provider takes (`base_url`,
        `api_key`, `timeout_s`, `deadline_s`, `max_attempts`, `headers` ...).

    Returns
    -------
    ProviderResponse

    Raises
    ------
    ConfigurationError
        Unknown provider or parameter, missing key; nothing was sent.
    ProviderError
        The call failed; `.response` holds what had arrived.

    Examples
    --------
    ::

        answer = allos.ask("Name three primes.", model="local/smollm2", max_tokens=40)
        print(answer)
    """
    with _about(tags):
        return result(begin(prompt, model=model, system=system, params=params))


async def aask(
    prompt: Prompt,
    *,
    model: str | Provider | None = None,
    system: str | None = None,
    tags: Sequence[str] = (),
    **params: Any,
) -> ProviderResponse:
    """Ask a model and await its answer; see `ask`.

    Examples
    --------
    ::

        answer = await allos.aask("Name three primes.", model="local/smollm2")
    """
    import asyncio

    with _about(tags):
        # Imports, opening the log and starting a server would block the caller's event loop.
        call = await asyncio.to_thread(begin, prompt, model=model, system=system, params=params)
    return await aresult(call)


def begin(
    prompt: Prompt,
    *,
    model: str | Provider | None,
    system: str | None,
    params: Mapping[str, Any],
    emit: Callable[[Sequence[Event]], None] | None = None,
) -> Call:
    """Start one call and return its handle; `emit` makes it a stream. For magics and comparisons."""
    constructor = {k: v for k, v in params.items() if k in CONSTRUCTOR and v is not None}
    rest = {k: v for k, v in params.items() if k not in CONSTRUCTOR}
    if constructor and isinstance(model, Provider):
        raise ConfigurationError(
            f"{', '.join(constructor)} cannot be set for a provider object that is already built."
        )
    session.open_log()
    provider = session.provider_for(model, **constructor)
    return provider.start(as_messages(prompt, system), rest, emit=emit)


def _about(tags: Sequence[str]) -> Any:
    return context.using(tags=(tags,) if isinstance(tags, str) else tuple(tags))
