"""The face that every service shows: chat, stream, their async twins, models, context window."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from allos import context, engine, seams, wire
from allos.engine.call import Call
from allos.errors import ConfigurationError
from allos.events import Event
from allos.hashing import request_hash
from allos.messages import Prompt, as_messages
from allos.providers import discovery, validation
from allos.providers.auth import endpoints, key_store
from allos.providers.catalog import model_cache, model_limits
from allos.providers.catalog.deprecations import advise
from allos.providers.catalog.model_list import ModelList
from allos.providers.catalog.services import Service
from allos.providers.pricing import budgets, prices
from allos.providers.pricing.estimates import estimate
from allos.providers.pricing.planned_requests import Preview, plan
from allos.providers.route import Route
from allos.providers.stream import AsyncStream, Stream
from allos.providers.waiting import aresult, result
from allos.request import Request
from allos.response import ProviderResponse
from allos.secret import Secret
from allos.tools.schemas import as_schema
from allos.tools.tool import Tools, as_tools, checked_choice
from allos.wire import content
from allos.wire.base import Body, Connection

CONSTRUCTOR = (
    "model",
    "api_key",
    "base_url",
    "api",
    "timeout_s",
    "deadline_s",
    "max_attempts",
    "headers",
    "context_window",
    "max_in_flight",
    "requests_per_minute",
    "tokens_per_minute",
)

_learnt: dict[tuple[str, str, str, str], dict[str, Any]] = {}
"""What refusals taught, by service, address, API and model: a provider is often made for one call."""

_warning = threading.Lock()  # guards `warned`: each warning is given once, by one thread

_UNRECORDED = " No answer to this request is recorded."


class Provider:
    """One model of one service. Made by `ProviderRegistry.get_provider`.

    Safe to share between threads and event loops; many calls may run at once.

    Parameters
    ----------
    service : Service
        The row.
    model : str
        The service's own name of the model.
    api_key : str or None
        Key; otherwise the service's environment variables are asked, then what `allos.set_key` set,
        the computer's keyring and Colab's secrets.
    base_url : str or None
        Another address of the service. A key from the environment does not go to a foreign host.
    api : str or None
        ``"responses"``, ``"chat"`` or ``"messages"``, where a service has several.
    timeout_s : float
        Seconds without a byte from the service.
    deadline_s : float or None
        Seconds for a whole call, waits and retries included.
    max_attempts : int
        Attempts in all, the first included.
    headers : mapping or None
        Further headers of every request.
    context_window : int or None
        Tokens, where you know better than the tables.
    strict : bool
        Refuse what the service or model does not take, where it is otherwise left out with a warning.
    max_in_flight, requests_per_minute, tokens_per_minute : float or None
        What all calls of this process with this key to this host may do together; the last provider
        that says so counts, and infinity lifts a limit. Calls wait for their turn, see `queue_s`.
    **params
        Defaults for every call: `temperature`, `top_p`, `max_tokens`, `stop`, `seed` ...

    Raises
    ------
    ConfigurationError
        A missing key or model, an unknown parameter, a value that cannot be meant; with `strict`,
        a parameter that the service does not take.
    """

    def __init__(
        self,
        service: Service,
        *,
        model: str,
        api_key: str | Secret | None = None,
        base_url: str | None = None,
        api: str | None = None,
        timeout_s: float = 120.0,
        deadline_s: float | None = None,
        max_attempts: int = 5,
        headers: Mapping[str, str] | None = None,
        context_window: int | None = None,
        max_in_flight: float | None = None,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        strict: bool = False,
        **params: Any,
    ) -> None:
        self.name, self.model = service.name, model  # first, for its repr in a traceback
        validation.check_numbers(
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            max_attempts=max_attempts,
            context_window=context_window,
        )
        validation.check_count("max_attempts", max_attempts)
        if context_window is not None:
            validation.check_count("context_window", context_window)
        self._limits = validation.limits(
            max_in_flight=service.max_in_flight if max_in_flight is None else max_in_flight,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
        )
        self._service = service
        if isinstance(api_key, str):
            api_key = Secret(api_key)
        self._route = Route(
            service,
            model,
            base_url=base_url,
            api_key=api_key,
            api=api,
            headers=headers or {},
        )
        endpoint = self._route.endpoint
        self._wire = wire.get(endpoint.api)
        self._params = self._checked(params)
        self._strict = validation.flag("strict", strict)
        self._timeout_s = timeout_s
        self._fixed: dict[str, Any] = {
            "provider": self.name,
            "api": endpoint.api,
            "model": model,
            "profile": service.profile_for(foreign=endpoint.foreign),
            "timeout_s": timeout_s,
            "deadline_s": deadline_s,
            "max_attempts": max_attempts,
            "endpoint": endpoint.base_url if self._route.literal else self.name,
        }
        self._context_window = context_window
        self.warned: set[str] = set()
        place = (self.name, endpoint.base_url, endpoint.api, model)
        self._learnt = _learnt.setdefault(place, {})
        if service.embedded and not seams.answers_at_hand:
            from allos import local

            local.find_model(model)

    @property
    def api(self) -> str:
        """Which API is spoken."""
        return self._route.endpoint.api

    @property
    def base_url(self) -> str:
        """Address of the service; empty for the embedded model until it runs."""
        return self._route.base_url

    # ---- the four ways to ask ---------------------------------------------------------------

    def chat(
        self,
        messages: Prompt,
        *,
        tools: Tools | None = None,
        tool_choice: str | None = None,
        schema: Any = None,
        **params: Any,
    ) -> ProviderResponse:
        """Ask and wait for the whole answer.

        Parameters
        ----------
        messages : iterable of Message, str, or sequence of str, Image and File
            The conversation; a text, or texts with images and files, stand for one user message.
        tools : sequence of callable, pydantic model class, mapping or Tool, or None
            What the model may ask to be called, see `allos.tools.tool.as_tool`. Nothing is
            run: the calls come back as `tool_calls`. `allos.ask` runs them.
        tool_choice : str or None
            ``"auto"``, ``"none"``, ``"required"`` or a tool's name; None leaves it to the service.
        schema : type, mapping or None
            What the answer must be, see `allos.tools.schemas.as_schema`; its value is `parsed`.
        **params
            Override the provider's defaults for this call; `extra` is a mapping that goes into the
            request's body as it is; `strict` as in the provider. ``refresh=True`` asks even where an
            answer is recorded, see `allos.replay`.

        Returns
        -------
        ProviderResponse

        Raises
        ------
        ProviderError
            The call failed; `.response` holds what had arrived.
        SchemaError
            The answer does not match `schema`; `.response` holds its text.
        Interrupted
            It was stopped with Ctrl-C or the stop button; `.response` holds what had arrived.
        """
        return result(self.start(messages, {**params, **_asked(tools, tool_choice, schema)}))

    async def achat(
        self,
        messages: Prompt,
        *,
        tools: Tools | None = None,
        tool_choice: str | None = None,
        schema: Any = None,
        **params: Any,
    ) -> ProviderResponse:
        """Ask and await the whole answer; see `chat`. Works on any event loop."""
        given = {**params, **_asked(tools, tool_choice, schema)}
        return await aresult(await self._astart(messages, given))

    def stream(
        self,
        messages: Prompt,
        *,
        tools: Tools | None = None,
        tool_choice: str | None = None,
        schema: Any = None,
        **params: Any,
    ) -> Stream:
        """Ask and iterate over the pieces of text as they arrive.

        The stream is a context manager; leaving it early stops the call. Its `events` also yields
        reasoning and tool calls, its `response` is there at the end. For parameters and errors see
        `chat`; errors are raised by the iteration.
        """
        given = {**params, **_asked(tools, tool_choice, schema)}
        return Stream(lambda emit: self.start(messages, given, emit=emit))

    def astream(
        self,
        messages: Prompt,
        *,
        tools: Tools | None = None,
        tool_choice: str | None = None,
        schema: Any = None,
        **params: Any,
    ) -> AsyncStream:
        """Ask and iterate with ``async for``; see `stream`."""
        given = {**params, **_asked(tools, tool_choice, schema)}

        async def begin(emit: Callable[[Sequence[Event]], None]) -> Call:
            return await self._astart(messages, given, emit=emit)

        return AsyncStream(begin)

    def _translated(
        self, messages: Prompt, params: Mapping[str, Any], *, stream: bool
    ) -> tuple[Request, Body, bool]:
        """The request, the body that its API wants, and whether to be strict.

        Touches no key, server or SDK.
        """
        turns = as_messages(messages)
        given = dict(params)
        strict = given.pop("strict", None)
        strict = self._strict if strict is None else validation.flag("strict", strict)
        tools = as_tools(given.pop("tools", None))
        choice = checked_choice(given.pop("tool_choice", None), tools)
        schema = as_schema(given.pop("schema", None))
        refresh = bool(given.pop("refresh", False))
        merged = {**self._params, **self._checked(given)} if given else dict(self._params)
        extra = merged.pop("extra", None) or {}
        here = context.current()
        request = Request(
            base_url=self.base_url,
            messages=turns,
            params=merged,
            extra=extra,
            tools=tuple(each.spec for each in tools),
            tool_choice=choice,
            schema=schema,
            stream=stream,
            sample=(here.sample_index if here.repeat is None else here.repeat) or 0,
            refresh=refresh,
            model_output=self._model_output() if self._wire.needs_limit else None,
            **self._fixed,
        )
        if self._learnt:
            request = replace(request, profile=replace(request.profile, **self._learnt))
        request = replace(request, request_hash=request_hash(request, request.sample))
        content.check(request)
        return request, self._wire.body(request), strict

    def start(
        self,
        messages: Prompt,
        params: Mapping[str, Any],
        *,
        emit: Callable[[Sequence[Event]], None] | None = None,
    ) -> Call:
        """Start a call and return its handle; `emit` makes it a stream. For `runs`.

        `params` may also hold `tools`, `tool_choice`, `schema` and `refresh`.
        """
        request, body = self._request(messages, params, stream=emit is not None)
        call = engine.from_source(request, dropped=body.dropped, emit=emit)
        return call if call is not None else self._send(request, body, emit)

    async def _astart(
        self,
        messages: Prompt,
        params: Mapping[str, Any],
        *,
        emit: Callable[[Sequence[Event]], None] | None = None,
    ) -> Call:
        """As `start`, without blocking the caller's event loop."""
        request, body = self._request(messages, params, stream=emit is not None)
        call = engine.from_source(request, dropped=body.dropped, emit=emit)
        if call is not None:
            return call
        await self._route.aready(_UNRECORDED)
        return self._send(request, body, emit)

    def _request(
        self, messages: Prompt, params: Mapping[str, Any], *, stream: bool
    ) -> tuple[Request, Body]:
        """What is asked, checked and translated, with a word on what is left out."""
        request, body, strict = self._translated(messages, params, stream=stream)
        if body.dropped:
            self._unsaid(body.dropped, strict)
        return request, body

    def _send(
        self,
        request: Request,
        body: Body,
        emit: Callable[[Sequence[Event]], None] | None,
    ) -> Call:
        connection = self._route.ready(_UNRECORDED)
        if connection.base_url != request.base_url:  # known only now that its server runs
            request = replace(request, base_url=connection.base_url)
        price_id = self._route.price_id
        if price_id:
            prices.warm()
        gate = self._gate(connection, body)
        if gate is not None:
            gate.ask()
        return engine.start(
            request,
            self._wire,
            body,
            connection,
            limits=self._limits,
            emit=emit,
            finish=prices.finisher(price_id),
            advise=lambda error: (
                advise(error, self.name, self.model, self._route.elsewhere)
                or key_store.advise(error, self._service, self._route.endpoint.key_source)
            ),
            learn=self._learnt.update,
            gate=gate,
        )

    def preview(
        self,
        messages: Prompt,
        *,
        stream: bool = False,
        exact: bool = False,
        tools: Tools | None = None,
        tool_choice: str | None = None,
        schema: Any = None,
        **params: Any,
    ) -> Preview:
        """Show what `chat` would send, and what it may use and cost. Nothing is sent.

        Parameters
        ----------
        messages, tools, tool_choice, schema, **params
            As in `chat`.
        stream : bool
            Show what `stream` would send.
        exact : bool
            Let the service count the prompt's tokens, where it can: that request is sent, and holds
            the prompt. Starts the embedded model.

        Returns
        -------
        Preview
            Address, headers with the key masked, body, and an `Estimate`.

        Raises
        ------
        ConfigurationError
            What would also keep `chat` from sending anything.
        """
        given = {**params, **_asked(tools, tool_choice, schema)}
        unstarted = self._service.embedded and not exact and not self._route.is_started
        connection = self._route.unstarted() if unstarted else self._route.ready()
        request, body, strict = self._translated(messages, given, stream=stream)
        request = replace(request, base_url=connection.base_url)
        if strict and body.dropped:
            self._unsaid(body.dropped, strict)
        planned = plan(
            request,
            body,
            connection,
            self._wire,
            counts=None if self._route.elsewhere else self._service.counts,
            exact=exact,
            price_id=self._route.price_id,
            max_output=self._model_output(),
            unstarted=unstarted,
        )
        return Preview((planned,), {})

    # ---- facts ------------------------------------------------------------------------------

    def list_models(self) -> ModelList:
        """Models that the service offers, as it tells. Makes a request, but for the embedded model.

        Returns
        -------
        ModelList
            A list of `ModelInfo`; its `frame` is a DataFrame with one row per model.

        Raises
        ------
        ProviderError
            The service cannot tell, or the request failed.
        """
        return discovery.list_models(self._route, self._wire, self._timeout_s)

    async def alist_models(self) -> ModelList:
        """Models that the service offers; see `list_models`. Works on any event loop."""
        return await discovery.alist_models(self._route, self._wire, self._timeout_s)

    def get_context_window(self, *, refresh: bool = False) -> int | None:
        """Tokens that prompt and answer may have together; None when nobody says.

        First the `context_window` given to the provider, then what the service told (a list of
        models that was asked for, or `refresh`; the embedded server always tells), then the facts
        that allos ships, then the tables of genai-prices. At another address the service's tables
        say nothing.

        Parameters
        ----------
        refresh : bool
            Ask the service now. Makes a request or two.

        Raises
        ------
        ProviderError
            Only with `refresh`: the request failed.
        """
        if self._context_window is not None:
            return self._context_window
        if self._service.embedded:
            from allos import local

            return local.serve(self.model).context_window
        if refresh:
            discovery.refresh_window(self._route, self._wire, self._timeout_s)
        elsewhere = self._route.elsewhere
        learnt = model_cache.learnt_window(self.name, elsewhere, self.model)
        if learnt is not None or elsewhere is not None:
            return learnt
        shipped = model_limits.shipped(self.name, self.model).context_window
        if shipped is not None or self._service.price_id is None:
            return shipped
        return prices.context_window(self._service.price_id, self.model)

    def close(self) -> None:
        """Close the connection of this provider's configuration; the next call opens a new one.

        Calls that still use it go on: it closes with the last of them. Nothing is waited for.
        """
        self._route.close()

    def __enter__(self) -> Provider:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Provider:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Provider({self.name!r}, model={self.model!r})"

    # ---- inside -----------------------------------------------------------------------------

    def _gate(self, connection: Connection, body: Body) -> budgets.BudgetGate | None:
        """Return what holds a call to the budgets in force; None without any."""
        in_force = budgets.in_force()
        if not in_force:
            return None
        payer = budgets.BilledService(
            self.name,
            self.model,
            endpoints.origin(connection.base_url),
            self._service.embedded,
            self._route.endpoint.foreign,
        )
        billed = any(not payer.free_by(each.free) for each in in_force)
        made = (
            estimate(body.body, self.model, self._route.price_id, max_output=self._model_output())
            if billed
            else None
        )
        return budgets.BudgetGate(payer, made, in_force)

    def _model_output(self) -> int | None:
        if self._route.elsewhere is not None:
            return None
        return model_limits.shipped(self.name, self.model).max_output_tokens

    def _checked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return validation.parameters(f"{self.name}/{self.model}", params)

    def _unsaid(self, dropped: Sequence[str], strict: bool) -> None:
        """Warn once of each parameter that the service does not take, or refuse."""
        named = f"{self.name}/{self.model}"
        if strict:
            what = " and ".join(map(repr, dropped))
            raise ConfigurationError(
                f"{named} does not take {what} on the {self.api} API, and strict=True allows no "
                "parameter to be left out. Nothing was sent."
            )
        with _warning:
            new = [name for name in dropped if name not in self.warned]
            self.warned.update(new)
        for name in new:
            warnings.warn(
                f"{named} does not take {name!r} on this API; it was left out",
                UserWarning,
                stacklevel=5,
            )


def _asked(tools: Tools | None, tool_choice: str | None, schema: Any) -> dict[str, Any]:
    given = {"tools": tools, "tool_choice": tool_choice, "schema": schema}
    return {name: value for name, value in given.items() if value is not None}
