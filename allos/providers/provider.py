"""The face that every service shows: chat, stream, their async twins, models, context window."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from allos import context, engine, seams, wire
from allos.engine import runtime
from allos.engine.call import Call
from allos.errors import (
    ConfigurationError,
    MissingAddressError,
    MissingKeyError,
    ProviderError,
)
from allos.hashing import request_hash
from allos.providers import budget, facts, inputs, key_store, keys, model_cache, models, prices
from allos.providers.advice import advise
from allos.providers.estimate import estimate
from allos.providers.faces import aresult, result
from allos.providers.inquiry import ainquire, inquire, window_of
from allos.providers.models import ModelInfo, ModelList
from allos.providers.preview import Preview, plan
from allos.providers.schemas import as_schema
from allos.providers.services import Service
from allos.providers.stream import AsyncStream, Stream
from allos.providers.tools import Tools, as_tools, checked_choice
from allos.secret import Secret
from allos.types import Event, Prompt, ProviderResponse, Request, as_messages
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

_SDK = {"responses": "openai", "chat": "openai", "messages": "anthropic"}


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
        inputs.check_numbers(
            timeout_s=timeout_s,
            deadline_s=deadline_s,
            max_attempts=max_attempts,
            context_window=context_window,
        )
        inputs.check_count("max_attempts", max_attempts)
        if context_window is not None:
            inputs.check_count("context_window", context_window)
        self._limits = inputs.limits(
            max_in_flight=service.max_in_flight if max_in_flight is None else max_in_flight,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
        )
        self._service = service
        self._base_url = base_url
        if isinstance(api_key, str):
            api_key = Secret(api_key)
        # Equal requests are equal on every machine: only an address in the code itself counts.
        literal = service.generic and base_url is not None and bool(str(base_url).strip())
        env = key_store.Environment()
        try:
            self._endpoint = keys.resolve(
                service, base_url=base_url, api_key=api_key, api=api, env=env, look=key_store.look
            )
        except (MissingKeyError, MissingAddressError):
            if not seams.answers_at_hand:
                raise
            self._endpoint = keys.waiting(service, base_url=base_url, api=api, env=env)
        self._wire = wire.get(self._endpoint.api)
        self._params = self._checked(params)
        self._strict = inputs.flag("strict", strict)
        self._timeout_s = timeout_s
        self._fixed: dict[str, Any] = {
            "provider": self.name,
            "api": self._endpoint.api,
            "model": model,
            "quirks": service.quirks_at(foreign=self._endpoint.foreign),
            "timeout_s": timeout_s,
            "deadline_s": deadline_s,
            "max_attempts": max_attempts,
            "endpoint": self._endpoint.base_url if literal else self.name,
        }
        self._headers = inputs.header_pairs(headers or {})
        self._context_window = context_window
        self.warned: set[str] = set()
        place = (self.name, self._endpoint.base_url, self._endpoint.api, model)
        self._learnt = _learnt.setdefault(place, {})
        waits = service.embedded or self._endpoint.key_source == "missing"
        self._connection = None if waits else self._connect()
        if service.embedded and not seams.answers_at_hand:
            from allos import local

            local.find_model(model)

    @property
    def api(self) -> str:
        """Which API is spoken."""
        return self._endpoint.api

    @property
    def base_url(self) -> str:
        """Address of the service; empty for the embedded model until it runs."""
        return self._connection.base_url if self._connection else self._endpoint.base_url

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
            What the model may ask to be called, see `allos.providers.tools.as_tool`. Nothing is
            run: the calls come back as `tool_calls`. `allos.ask` runs them.
        tool_choice : str or None
            ``"auto"``, ``"none"``, ``"required"`` or a tool's name; None leaves it to the service.
        schema : type, mapping or None
            What the answer must be, see `allos.providers.schemas.as_schema`; its value is `parsed`.
        **params
            Override the provider's defaults for this call; `extra` is a mapping that goes into the
            request's body as it is; `strict` as in the provider. ``fresh=True`` asks even where an
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
        strict = self._strict if strict is None else inputs.flag("strict", strict)
        tools = as_tools(given.pop("tools", None))
        choice = checked_choice(given.pop("tool_choice", None), tools)
        schema = as_schema(given.pop("schema", None))
        fresh = bool(given.pop("fresh", False))
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
            fresh=fresh,
            model_output=self._model_output() if self._wire.needs_limit else None,
            **self._fixed,
        )
        if self._learnt:
            request = replace(request, quirks=replace(request.quirks, **self._learnt))
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

        `params` may also hold `tools`, `tool_choice`, `schema` and `fresh`.
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
        await self._aready(_UNRECORDED)
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
        connection = self._ready(_UNRECORDED)
        if connection.base_url != request.base_url:  # known only now that its server runs
            request = replace(request, base_url=connection.base_url)
        price_id = self._price_id
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
                advise(error, self.name, self.model, self._elsewhere)
                or key_store.advise(error, self._service, self._endpoint.key_source)
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
        unstarted = self._service.embedded and not exact and self._connection is None
        connection = self._unstarted() if unstarted else self._ready()
        request, body, strict = self._translated(messages, given, stream=stream)
        request = replace(request, base_url=connection.base_url)
        if strict and body.dropped:
            self._unsaid(body.dropped, strict)
        planned = plan(
            request,
            body,
            connection,
            self._wire,
            counts=None if self._elsewhere else self._service.counts,
            exact=exact,
            price_id=self._price_id,
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
        self._check_list()
        if self._service.embedded:
            return self._files()
        connection = self._ready()
        told = inquire("list_models", self._wire.models, connection, self._timeout_s)
        return self._learn(told, connection)

    async def alist_models(self) -> ModelList:
        """Models that the service offers; see `list_models`. Works on any event loop."""
        self._check_list()
        if self._service.embedded:
            return self._files()
        await self._aready()
        connection = self._ready()
        told = await ainquire("alist_models", self._wire.models, connection, self._timeout_s)
        return self._learn(told, connection)

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
            connection = self._ready()
            work = window_of(
                self.model, self._wire, connection.base_url, self._service.window_probe
            )
            told = inquire("get_context_window", work, connection, self._timeout_s)
            if isinstance(told, ProviderError):
                raise _told_error(self, "its context window", told, connection.api_key)
            if told is not None:
                model_cache.remember_window(self.name, self._elsewhere, self.model, told)
        learnt = model_cache.learnt_window(self.name, self._elsewhere, self.model)
        if learnt is not None or self._elsewhere is not None:
            return learnt
        shipped = facts.shipped(self.name, self.model).context_window
        if shipped is not None or self._service.price_id is None:
            return shipped
        return prices.context_window(self._service.price_id, self.model)

    def close(self) -> None:
        """Close the connection of this provider's configuration; the next call opens a new one.

        Calls that still use it go on: it closes with the last of them. Nothing is waited for.
        """
        started = runtime.running()
        if started is not None and self._connection is not None:
            started.release(self._connection)

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

    @property
    def _price_id(self) -> str | None:
        return None if self._endpoint.foreign else self._service.price_id

    def _gate(self, connection: Connection, body: Body) -> budget.BudgetGate | None:
        """Return what holds a call to the budgets in force; None without any."""
        budgets = budget.in_force()
        if not budgets:
            return None
        payer = budget.Payer(
            self.name,
            self.model,
            keys.place(connection.base_url),
            self._service.embedded,
            self._endpoint.foreign,
        )
        billed = any(not payer.free_by(each.free) for each in budgets)
        made = (
            estimate(body.body, self.model, self._price_id, max_output=self._model_output())
            if billed
            else None
        )
        return budget.BudgetGate(payer, made, budgets)

    def _unstarted(self) -> Connection:
        """Return where the embedded model's calls would go, without starting its server."""
        return self._connect(keys.wire_url("http://127.0.0.1:0/v1", self._endpoint.api))

    @property
    def _elsewhere(self) -> str | None:
        """Address, where it is not the service's own: tables of the service say nothing there."""
        own = not (self._endpoint.foreign or self._service.generic)
        return None if own else self._endpoint.base_url

    def _check_list(self) -> None:
        if not (self._service.list_models or self._endpoint.foreign):
            raise _told_error(self, "its models", ProviderError("it has no such list"))

    def _learn(self, told: Any, connection: Connection) -> ModelList:
        if isinstance(told, ProviderError):
            raise _told_error(self, "its models", told, connection.api_key)
        found = models.read(told, self.name)
        model_cache.remember(self.name, self._elsewhere, found, on_disk=True)
        return found

    def _files(self) -> ModelList:
        """Models that the embedded server can be started with; no request is needed."""
        from allos import local

        return ModelList(ModelInfo(id=name, provider=self.name) for name in local.known_models())

    def _model_output(self) -> int | None:
        if self._elsewhere is not None:
            return None
        return facts.shipped(self.name, self.model).max_output_tokens

    def _checked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return inputs.parameters(f"{self.name}/{self.model}", params)

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

    def _connect(self, base_url: str | None = None, api_key: Secret | None = None) -> Connection:
        endpoint = self._endpoint
        url = base_url or endpoint.base_url
        sdk = _SDK[endpoint.api]
        key = api_key or endpoint.api_key
        return Connection(
            sdk=sdk,
            base_url=url,
            api_key=key if key is not None else Secret(keys.PLACEHOLDER),
            headers=self._headers,
            sdk_env=self._service.sdk_home == sdk and not endpoint.foreign,
            direct=keys.is_loopback(urlsplit(url).hostname or ""),
        )

    def _ready(self, note: str = "") -> Connection:
        """Return the connection, with the embedded server up. May take a second; not on the loop.

        `note` goes behind what is missing.
        """
        if self._service.embedded:
            from allos import local

            server = local.serve(self.model)
            url = keys.wire_url(server.base_url, self._endpoint.api)
            self._connection = self._connect(url, server.secret)
        if self._connection is None:  # its key or address was missing; now it is needed
            self._endpoint = self._resolved(note)
            self._connection = self._connect()
        return self._connection

    def _resolved(self, note: str) -> keys.Endpoint:
        try:
            return keys.resolve(
                self._service,
                base_url=self._base_url,
                api=self.api,
                env=key_store.Environment(),
                look=key_store.look,
            )
        except (MissingKeyError, MissingAddressError) as exc:
            missing = type(exc)(f"{exc}{note}")
        # Out here, so that no frame with the environment goes along.
        raise missing

    async def _aready(self, note: str = "") -> None:
        """Do what would block the caller's event loop (imports, starting a server) in a thread."""
        import asyncio

        def prepare() -> None:
            runtime.get().client(self._ready(note))
            if budget.in_force():
                prices.load()

        await asyncio.get_running_loop().run_in_executor(None, prepare)


def _told_error(
    provider: Provider, what: str, error: ProviderError, key: Secret | None = None
) -> ProviderError:
    from allos.wire.faults import shorten

    redact = key.redact if key is not None else str
    error.provider, error.model = provider.name, provider.model
    error.detail = error.detail and shorten(redact(error.detail))
    words = shorten(redact(error.message))
    end = "" if words.endswith((".", "?", "!")) else "."
    advice = advise(error, provider.name, provider.model, provider._elsewhere)
    next_step = f"{end} {advice}" if advice else ""
    error.message = f"{provider.name}: the service does not tell {what}: {words}{next_step}"
    error.args = (error.message,)
    error.__cause__ = error.__context__ = None
    return error


def _asked(tools: Tools | None, tool_choice: str | None, schema: Any) -> dict[str, Any]:
    given = {"tools": tools, "tool_choice": tool_choice, "schema": schema}
    return {name: value for name, value in given.items() if value is not None}
