"""A model of a service: chat, stream, their async counterparts, models, context window."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from allos import _process, context, engine, wire
from allos.engine import (
    BilledService,
    Call,
    HandedOver,
    Interceptor,
    OnEvents,
    PreparedCall,
    learned_profiles,
)
from allos.errors import ConfigurationError, ProviderError
from allos.hashing import request_hash
from allos.messages import Prompt, as_messages
from allos.options import PROVIDER_OPTIONS, CallOptions, ProviderOptions
from allos.providers import validation
from allos.providers.advice import Advice
from allos.providers.catalog import model_cache, model_limits
from allos.providers.catalog.service import Service
from allos.providers.pricing import prices
from allos.providers.route import Route
from allos.providers.stream import AsyncStream, Stream
from allos.providers.waiting import aresult, result
from allos.request import Request
from allos.response import ProviderResponse
from allos.secret import Secret, seal_secrets
from allos.wire import content
from allos.wire.base import Body

# What a first call does without is imported where it is used.
if TYPE_CHECKING:
    from datetime import datetime

    from allos.providers.batch_service import BatchService
    from allos.providers.catalog.model_list import ModelList
    from allos.providers.pricing.planned_requests import Preview
    from allos.request import SchemaSpec
    from allos.tools.tool import Tool

# A lock of the process; guards `warned`, so that each warning is shown once.
_warning_lock = threading.Lock()

_NOT_RECORDED = " No recorded answer matches this request."


class Provider:
    """One model of one service. Created by `ProviderRegistry.get_provider`.

    Safe to share between threads and event loops; calls may run concurrently.

    Parameters
    ----------
    service : Service
    **options
        The fields of `allos.options.ProviderOptions` (`model` is required), and the parameters of
        `allos.options.CallOptions` as defaults of every call.

    Raises
    ------
    ConfigurationError
        Missing API key or model, unknown parameter, invalid value; with `strict`, a parameter that the
        service does not support.
    """

    def __init__(self, service: Service, **options: Any) -> None:
        # First, for the repr in a traceback.
        self.name, self.model = service.name, str(options.get("model", ""))
        params = {k: options.pop(k) for k in list(options) if k not in PROVIDER_OPTIONS}
        seal_secrets(options)
        given = ProviderOptions(**options)
        validation.check_options(given)
        self._strict = given.strict
        self._limits = validation.limits(
            max_in_flight=service.max_in_flight
            if given.max_in_flight is None
            else given.max_in_flight,
            requests_per_minute=given.requests_per_minute,
            tokens_per_minute=given.tokens_per_minute,
        )
        self._service = service
        self._route = Route(
            service,
            given.model,
            base_url=given.base_url,
            api_key=given.api_key if isinstance(given.api_key, Secret) else None,
            api=given.api,
            headers=given.headers or {},
        )
        endpoint, self.model = self._route.endpoint, self._route.model
        self._wire = wire.get(endpoint.api)
        self._params = self._checked(params)
        self._timeout_s = given.timeout_s
        self._fixed: dict[str, Any] = {
            "provider": self.name,
            "api": endpoint.api,
            "model": self.model,
            "profile": service.profile_for(endpoint.base_url),
            "timeout_s": given.timeout_s,
            "deadline_s": given.deadline_s,
            "max_attempts": given.max_attempts,
            "endpoint": endpoint.base_url if self._route.is_generic_endpoint else self.name,
        }
        self._context_window = given.context_window
        self._advice = Advice(self._route)
        self.warned: set[str] = set()
        if service.embedded and not engine.can_answer_offline():
            from allos import local

            local.find_model(given.model)

    @property
    def api(self) -> str:
        """API that is used: ``"responses"``, ``"chat"``, ``"messages"`` or a registered one."""
        return self._route.endpoint.api

    @property
    def base_url(self) -> str:
        """Base URL of the service; empty for the embedded model until it runs."""
        return self._route.base_url

    @property
    def params(self) -> Mapping[str, Any]:
        """Parameters of every call that does not set its own."""
        return dict(self._params)

    # ---- calls ---------------------------------------------------------------

    def chat(self, messages: Prompt, **options: Unpack[CallOptions]) -> ProviderResponse:
        """Send messages and wait for the complete answer.

        Parameters
        ----------
        messages : iterable of Message, str, or sequence of str, Image and File
            The conversation; a string, or strings with images and files, are one user message.
        **options
            The fields of `allos.options.CallOptions`; they override the provider's defaults.
            `tools` are not run: the calls are returned as `tool_calls`, and `allos.ask` runs them. With
            a `schema`, `parsed` is the value of the answer.

        Returns
        -------
        ProviderResponse

        Raises
        ------
        ProviderError
            The call failed; `.response` is the partial response.
        SchemaError
            The answer does not match `schema`; `.response` has its text.
        Interrupted
            Ctrl-C or the interrupt button; `.response` is the partial response.
        """
        return result(self.start(messages, options))

    async def achat(self, messages: Prompt, **options: Unpack[CallOptions]) -> ProviderResponse:
        """Send messages and await the complete answer; see `chat`. Works on any event loop."""
        return await aresult(await self._astart(self.prepare(messages, options)))

    def stream(self, messages: Prompt, **options: Unpack[CallOptions]) -> Stream:
        """Send messages and iterate over the text as it arrives.

        The stream is a context manager; leaving it early cancels the call. Its `events` also yields
        reasoning and tool calls, its `response` is set at the end. For parameters and errors see
        `chat`; errors are raised by the iteration.
        """
        return Stream(lambda on_events: self.start(messages, options, on_events))

    def astream(self, messages: Prompt, **options: Unpack[CallOptions]) -> AsyncStream:
        """Send messages and iterate with ``async for``; see `stream`."""

        async def start(on_events: OnEvents) -> Call:
            return await self._astart(self.prepare(messages, options, stream=True), on_events)

        return AsyncStream(start)

    async def _astart(self, prepared: PreparedCall, on_events: OnEvents | None = None) -> Call:
        if _process.current_session().budgets.in_force():
            await prices.aload()  # a budget needs the tables, and must not block the event loop
        return await engine.astart(prepared, self._interceptors(), on_events)

    def start(
        self,
        messages: Prompt,
        options: Mapping[str, Any],
        on_events: OnEvents | None = None,
        interceptors: Sequence[Interceptor] = (),
        answers: Sequence[Interceptor] = (),
    ) -> Call:
        """Start a call and return its handle; `on_events` makes it a stream. For `runs`.

        `interceptors` are those of this call alone, inside of all others, but for `answers`: these are
        right inside of the log, since what they answer costs nothing.
        """
        prepared = self.prepare(messages, options, stream=on_events is not None)
        log, *others = self._interceptors()
        return engine.start(prepared, (log, *answers, *others, *interceptors), on_events)

    def start_on_loop(self, messages: Prompt, options: Mapping[str, Any]) -> Call:
        """As `start`, on the loop thread, while `starts_at_once`. For `runs`."""
        return engine.start_on_loop(self.prepare(messages, options), self._interceptors())

    @property
    def starts_at_once(self) -> bool:
        """Whether a call would start without waiting for anything: a key, a client, an interceptor."""
        return (
            wire.is_built_in(self.api)
            and self._route.is_ready
            and not any(layer.may_wait for layer in self._interceptors())
        )

    # ---- batches of the service (for `runs`) ---------------------------------------------------

    def batch_service(self) -> BatchService:
        """Return the batch API of this model's service.

        Raises
        ------
        ConfigurationError
            There is none, or it does not take this API; nothing was sent.
        """
        from allos.providers import batch_service

        return batch_service.find(self._service, self._wire, self._route)

    def prepare_for_batch(self, messages: Prompt, options: Mapping[str, Any]) -> PreparedCall:
        """As `prepare`, for a call in a batch of the service."""
        prepared = self.prepare(messages, options)
        terms = self._service.batches
        share = terms.price_share if terms is not None else None
        return replace(prepared, billing=replace(prepared.billing, batch_share=share))

    def hand_over(self, call: PreparedCall, since: datetime | None = None) -> Call | HandedOver:
        """Do what comes before a call is sent; `since`: another process has handed it over then."""
        if since is None:
            return engine.hand_over(call, self._interceptors())
        return engine.hand_over_again(call, self._interceptors(), since)

    def arrived(
        self, call: PreparedCall, handed: HandedOver, outcome: bytes | ProviderError | None
    ) -> Call:
        """Complete a call that was handed over; see `allos.engine.arrived`."""
        return engine.arrived(call, handed, outcome, self._route.ready())

    def prepare(
        self, messages: Prompt, options: Mapping[str, Any], *, stream: bool = False
    ) -> PreparedCall:
        """Validate and translate a call; warns of parameters that are left out. Nothing is sent.

        Uses no key, server or SDK.
        """
        request, body, strict = self._translated(messages, options, stream=stream)
        if body.dropped:
            self._warn_dropped(body.dropped, strict)
        session = _process.current_session()
        return PreparedCall(
            request=request,
            body=body,
            wire=self._wire,
            connect=lambda: self._route.ready(_NOT_RECORDED),
            limits=self._limits,
            limiters=session.limiters,
            billing=self._billing(),
        )

    def _translated(
        self, messages: Prompt, options: Mapping[str, Any], *, stream: bool
    ) -> tuple[Request, Body, bool]:
        """Translate a call: the request, the body for its API, and whether to be strict."""
        turns = as_messages(messages)
        if isinstance(options, dict):  # those of the callers' frames
            seal_secrets(options)
        given = dict(options)
        strict = given.pop("strict", None)
        strict = self._strict if strict is None else validation.flag("strict", strict)
        tools, choice = _tools(given.pop("tools", None), given.pop("tool_choice", None))
        schema = _schema(given.pop("schema", None))
        refresh = bool(given.pop("refresh", False))
        merged = {**self._params, **self._checked(given)} if given else dict(self._params)
        extra = merged.pop("extra", None) or {}
        origin = context.current()
        request = Request(
            base_url=self.base_url,
            messages=turns,
            params=merged,
            extra=extra,
            tools=tuple(each.spec for each in tools),
            tool_choice=choice,
            schema=schema,
            stream=stream,
            sample=(origin.sample_index if origin.repeat is None else origin.repeat) or 0,
            refresh=refresh,
            model_max_output_tokens=self._max_output_tokens()
            if self._wire.requires_max_tokens
            else None,
            **self._fixed,
        )
        if learned := learned_profiles.find(request):
            request = replace(request, profile=replace(request.profile, **learned))
        request = replace(request, request_hash=request_hash(request, request.sample))
        content.check(request)
        return request, self._wire.body(request), strict

    def preview(
        self,
        messages: Prompt,
        *,
        stream: bool = False,
        exact: bool = False,
        **options: Unpack[CallOptions],
    ) -> Preview:
        """Return what `chat` would send, with estimates of tokens and cost. Nothing is sent.

        Parameters
        ----------
        messages, **options
            As in `chat`.
        stream : bool
            Return what `stream` would send.
        exact : bool
            Let the service count the prompt's tokens, where it can: that request is sent and contains
            the prompt. Starts the embedded model.

        Returns
        -------
        Preview
            URL, headers with the key masked, body, and an `Estimate`.

        Raises
        ------
        ConfigurationError
            As in `chat`.
        """
        from allos.providers.pricing.planned_requests import Preview, plan

        unstarted = self._service.embedded and not exact and not self._route.is_started
        connection = self._route.unstarted() if unstarted else self._route.ready()
        request, body, strict = self._translated(messages, options, stream=stream)
        request = replace(request, base_url=connection.base_url)
        if strict and body.dropped:
            self._warn_dropped(body.dropped, strict)
        planned = plan(
            request,
            body,
            connection,
            self._wire,
            counts=None if self._route.custom_base_url else self._service.counts,
            exact=exact,
            price_id=self._route.price_id,
            max_output=self._max_output_tokens(),
            unstarted=unstarted,
            free=self._service.embedded and not self._route.custom_base_url,
        )
        return Preview((planned,), {})

    # ---- metadata ------------------------------------------------------------------------------

    def list_models(self) -> ModelList:
        """List the models of the service. Makes a request, except for the embedded model.

        Returns
        -------
        ModelList
            A list of `ModelInfo`; its `frame` is a DataFrame with one row per model.

        Raises
        ------
        ProviderError
            The service has no models endpoint, or the request failed.
        """
        from allos.providers import discovery

        return discovery.list_models(self._route, self._wire, self._timeout_s)

    async def alist_models(self) -> ModelList:
        """List the models of the service; see `list_models`. Works on any event loop."""
        from allos.providers import discovery

        return await discovery.alist_models(self._route, self._wire, self._timeout_s)

    def get_context_window(self, *, refresh: bool = False) -> int | None:
        """Most tokens of prompt and answer together; None when unknown.

        In this order: the `context_window` given to the provider, the value reported by the service
        (by `list_models` or `refresh`; the embedded server always reports it), the values shipped with
        allos, the tables of genai-prices. For a custom base URL the shipped values do not apply.

        Parameters
        ----------
        refresh : bool
            Request it from the service now. Makes one or two requests.

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
            from allos.providers import discovery

            discovery.refresh_context_window(self._route, self._wire, self._timeout_s)
        base_url = self._route.custom_base_url
        reported = model_cache.reported_context_window(self.name, base_url, self.model)
        if reported is not None or base_url is not None:
            return reported
        shipped = model_limits.shipped(self.name, self.model).context_window
        if shipped is not None or self._service.price_id is None:
            return shipped
        return prices.context_window(self._service.price_id, self.model)

    def close(self) -> None:
        """Close the connection of this provider's configuration; the next call opens a new one.

        Running calls continue; it closes with the last of them. Returns at once.
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

    # ---- private -----------------------------------------------------------------------------

    def _interceptors(self) -> tuple[Interceptor, ...]:
        """Interceptors of a call made now: the session's, then the provider's own."""
        return (*_process.current_session().interceptors, self._advice)

    def _billing(self) -> BilledService:
        return BilledService(
            provider=self.name,
            model=self.model,
            base_url=self.base_url,
            is_embedded=self._service.embedded,
            is_custom_host=self._route.endpoint.is_custom_host,
            price_id=self._route.price_id,
            max_output_tokens=self._max_output_tokens(),
        )

    def _max_output_tokens(self) -> int | None:
        if self._route.custom_base_url is not None:
            return None
        return model_limits.shipped(self.name, self.model).max_output_tokens

    def _checked(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return validation.parameters(f"{self.name}/{self.model}", params)

    def _warn_dropped(self, dropped: Sequence[str], strict: bool) -> None:
        """Warn once of each parameter that the service does not support; raise if `strict`."""
        named = f"{self.name}/{self.model}"
        if strict:
            what = " and ".join(map(repr, dropped))
            raise ConfigurationError(
                f"{named} does not support {what} on the {self.api} API, and strict=True does not allow "
                "leaving it out. Nothing was sent."
            )
        with _warning_lock:
            new = [name for name in dropped if name not in self.warned]
            self.warned.update(new)
        for name in new:
            warnings.warn(
                f"{named} does not support {name!r} on this API; it was left out",
                UserWarning,
                stacklevel=4,
            )


def _tools(tools: Any, choice: Any) -> tuple[tuple[Tool, ...], str | None]:
    if tools is None and choice is None:
        return (), None
    from allos.tools.tool import as_tools, check_tool_choice

    known = as_tools(tools)
    return known, check_tool_choice(choice, known)


def _schema(schema: Any) -> SchemaSpec | None:
    if schema is None:
        return None
    from allos.tools.schemas import as_schema

    return as_schema(schema)
