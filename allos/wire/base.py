"""What the three wires share: one call of an SDK, whole or streamed."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from json import dumps
from typing import TYPE_CHECKING, Any, NamedTuple

from jiter import from_json

from allos.errors import IncompleteStreamError, ProviderError
from allos.events import Event
from allos.profiles import Api
from allos.request import Request
from allos.secret import Secret
from allos.wire import error_mapping
from allos.wire.headers import header_events, request_id
from allos.wire.json_fields import dollars, json_object, records, reported_cost
from allos.wire.sse import ServerEvent, SseDecoder

if TYPE_CHECKING:
    import httpx2

    from allos.wire.clients import Client

_DRAIN_S = 0.05
"""How long to wait for the end of the body after the API's end signal, to keep the connection."""

_NEVER_S = 1e8
"""A time-out of years is none: loops count in numbers of limited size."""

_TAIL_S = 5.0
"""How long a finished answer waits for its last facts (usage) from a server that stays silent."""


_SECRET_HEADER = re.compile(r"auth|key|token|secret|cookie|password", re.I)
_SHORTEST_SECRET = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where and as whom to call; one SDK client is kept for each."""

    sdk: str
    """``"openai"`` or ``"anthropic"``."""
    base_url: str
    api_key: Secret
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Extra headers of the user; not shown, since they may hold a key."""
    sdk_env: bool = False
    """Whether the SDK's own environment settings (organisation, project, custom headers) apply:
    only on the host of the SDK's own vendor."""
    direct: bool = False
    """Bypass proxies (loopback hosts)."""

    def redact(self, text: str) -> str:
        """Return `text` without the key, nor any other secret of the user's headers."""
        text = self.api_key.redact(text)
        for name, value in self.headers:
            if _SECRET_HEADER.search(name):
                for word in value.split():
                    text = Secret(word).redact(text) if len(word) >= _SHORTEST_SECRET else text
        return text


class Body(NamedTuple):
    """A request body, and what could not be put into it."""

    body: dict[str, Any]
    dropped: tuple[str, ...]
    """Parameters of our vocabulary that this API or service does not take."""
    headers: Mapping[str, str] | None = None
    """Headers of this request alone."""


class Amended(NamedTuple):
    """A body without what the service has just refused."""

    body: Body
    profile: Mapping[str, Any]
    """What was learnt of the service, by fields of `ServiceProfile`."""


@dataclass(slots=True)
class Reply:
    """Facts of one HTTP exchange, filled while it runs."""

    events: list[Event] = field(default_factory=list)
    raw: Any = None
    fault: Exception | None = None
    """Why this is no answer, although some of one came."""


class Decoder(ABC):
    """Understands one reply: chunk by chunk, or whole."""

    done: bool = False
    """The API's own end signal came."""
    closed: bool = False
    """Nothing more will come; stop reading."""
    fault: ProviderError | None = None
    """The service's own word that the answer failed, said beside a piece of it."""

    @abstractmethod
    def event(self, name: str, data: bytes) -> Iterable[Event]:
        """Give the events in one server-sent event; those before a fault count."""

    @abstractmethod
    def whole(self, reply: dict[str, Any]) -> Iterable[Event]:
        """Give the events in a whole reply; those before a fault count."""

    def finish(self) -> list[Event]:
        """Return what was held back, once no more will come."""
        return []


class Wire(ABC):
    """Speaks one API. Stateless: one object serves every call."""

    api: Api
    sdk: str
    path: str
    models_path = "/models"
    needs_limit = False
    """Whether the API refuses a request without a limit of the answer's length."""

    @abstractmethod
    def body(self, request: Request) -> Body:
        """Translate a request into the API's body."""

    @abstractmethod
    def decoder(self, request: Request) -> Decoder:
        """Return a fresh decoder for the reply to a request."""

    def amend(self, body: Body, error: ProviderError) -> Amended | None:
        """Return what to send instead, where the service refused a field that is only ours.

        For servers that no row describes. None when the error is about something else.
        """
        return None

    async def send(self, client: Client, request: Request, body: Body) -> Reply:
        """Make the call and understand the whole reply. Loop thread."""
        response = await self._post(client, request, body, stream=False)
        if "event-stream" in response.headers.get("content-type", ""):
            return self._unasked_stream(response, request)
        return self._whole(response, response.content, request)

    async def stream(
        self, client: Client, request: Request, body: Body
    ) -> AsyncIterator[list[Event]]:
        """Make the call and yield the events of each arriving chunk. Loop thread.

        Raises
        ------
        IncompleteStreamError
            The stream ended without the API's own end signal, or became unreadable.
        """
        response = await self._post(client, request, body, stream=True)
        try:
            kind = response.headers.get("content-type", "")
            if "json" in kind or "html" in kind:
                reply = self._whole(response, await response.aread(), request)
                yield reply.events
                if reply.fault is not None:
                    raise reply.fault
                return
            yield header_events(response.headers)
            decoder, sse = self.decoder(request), SseDecoder()
            head = b""
            chunks = response.aiter_bytes()
            fault: Exception | None = None
            try:
                while (chunk := await _next(chunks, decoder)) is not None:
                    if not sse.seen_field and len(head) < 2000:
                        head += chunk[:2000]
                    events, fault = _decode(decoder, sse.feed(chunk))
                    if events:
                        yield events
                    if fault is not None or decoder.closed:
                        break
            except Exception as exc:  # noqa: BLE001 - raised below, once all that came is handed out
                fault = exc
            if decoder.closed:
                await _drain(chunks)
            elif fault is None:
                events, fault = _decode(decoder, sse.end())
                if events:
                    yield events
            if events := decoder.finish():
                yield events
            if decoder.fault is not None:
                raise _placed(decoder.fault, response.headers)
            if decoder.done:  # what ends after the API's own end signal has nothing left to lose
                return
            raise _unfinished(fault, sse, head, response.headers)
        finally:
            await response.aclose()

    async def models(self, client: Client) -> list[Any]:
        """Return the service's own records of its models, as JSON values. Loop thread."""
        return records(await self.fetch(client, self.models_path))

    async def model(self, client: Client, name: str) -> dict[str, Any] | None:
        """Return the service's own record of one model, where the API has such a thing."""
        return None

    async def fetch(
        self, client: Client, url: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """GET a JSON object, or POST for it where there is a body. Loop thread.

        `url` may begin with a slash: then it is below the client's own address.
        """
        response = await client.send(
            "GET" if body is None else "POST",
            f"{client.base_url}{url}" if url.startswith("/") else url,
            timeout=_timeout(600.0),
            body=None if body is None else dumps(dict(body)).encode(),
        )
        await _check(response)
        return json_object(response.content, response.headers)

    async def _post(
        self, client: Client, request: Request, body: Body, *, stream: bool
    ) -> httpx2.Response:
        response = await client.send(
            "POST",
            f"{request.base_url}{self.path}",
            timeout=_timeout(request.timeout_s),
            body=_encoded(body.body),
            headers=body.headers,
            stream=stream,
        )
        await _check(response)
        return response

    def _whole(self, response: httpx2.Response, content: bytes, request: Request) -> Reply:
        raw = json_object(content, response.headers)
        decoder = self.decoder(request)
        events = header_events(response.headers)
        if request.profile.cost_header:
            told = dollars(response.headers.get(request.profile.cost_header))
            events += reported_cost({"cost": told})
        try:
            # One by one: what a failed reply told (its id, its tokens, some text) is kept.
            for event in decoder.whole(raw):
                events.append(event)
        except ProviderError as exc:
            exc.status_code = exc.status_code or response.status_code
            return Reply(events=events, raw=raw, fault=_placed(exc, response.headers))
        events += decoder.finish()
        if decoder.fault is not None:
            decoder.fault.status_code = decoder.fault.status_code or response.status_code
            _placed(decoder.fault, response.headers)
        return Reply(events=events, raw=raw, fault=decoder.fault)

    def _unasked_stream(self, response: httpx2.Response, request: Request) -> Reply:
        """Understand a stream that came although a whole answer was asked for."""
        decoder, sse = self.decoder(request), SseDecoder()
        events, fault = _decode(decoder, [*sse.feed(response.content), *sse.end()])
        events = [*header_events(response.headers), *events, *decoder.finish()]
        fault = decoder.fault or fault
        if decoder.fault is None and decoder.done:
            return Reply(events=events)
        return Reply(
            events=events, fault=_unfinished(fault, sse, response.content, response.headers)
        )


def _encoded(body: Mapping[str, Any]) -> bytes:
    text = dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half an emoji in a prompt: JSON can say it, UTF-8 cannot
        return dumps(body, separators=(",", ":"), allow_nan=False).encode()


async def _check(response: httpx2.Response) -> None:
    """Raise our error for a status that is no success."""
    status = response.status_code
    if 200 <= status < 300:
        return
    content = b""
    with suppress(Exception):  # the words are lost, the status is not
        content = await response.aread()
    await response.aclose()
    body: Any = content
    with suppress(ValueError):
        body = from_json(content)
    raise error_mapping.from_status(status, body, response.headers)


def _placed(fault: Exception, headers: Mapping[str, str]) -> Exception:
    """Complete a fault found inside a reply with what only the reply's head tells."""
    if isinstance(fault, ProviderError) and fault.request_id is None:
        fault.request_id = request_id(headers)
    return fault


def _unfinished(
    fault: Exception | None, sse: SseDecoder, head: bytes, headers: Mapping[str, str]
) -> Exception:
    """Say why a stream is no whole answer."""
    if fault is not None:
        return _placed(fault, headers)
    if not sse.seen_field:
        return error_mapping.no_answer(head, headers)
    return IncompleteStreamError("the stream ended before the answer was complete", retryable=True)


def _decode(decoder: Decoder, arrived: list[ServerEvent]) -> tuple[list[Event], Exception | None]:
    """Events of one chunk, and what went wrong behind them: what came before it is kept."""
    events: list[Event] = []
    for name, data in arrived:
        try:
            events.extend(decoder.event(name, data))  # a fault leaves what came before it in there
        except Exception as exc:  # noqa: BLE001 - handed on
            return events, exc
        if decoder.fault is not None:
            return events, decoder.fault
        if decoder.closed:
            break
    return events, None


async def _next(chunks: AsyncIterator[bytes], decoder: Decoder) -> bytes | None:
    """Return the next chunk; None at the end, or when a finished answer gets no more facts."""
    if not decoder.done:
        return await anext(chunks, None)
    import asyncio

    try:
        async with asyncio.timeout(_TAIL_S):
            return await anext(chunks, None)
    except TimeoutError:
        return None


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    import asyncio

    with suppress(Exception):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass


@cache
def _timeout(timeout_s: float) -> dict[str, float | None]:
    longest = timeout_s if timeout_s <= _NEVER_S else None
    return {"connect": min(timeout_s, 10.0), "read": longest, "write": longest, "pool": longest}
