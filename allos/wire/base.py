"""What all wires share: one exchange with a service, as a complete response or as a stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.errors import ProviderError
from allos.events import Event
from allos.profiles import SchemaSupport
from allos.request import Request
from allos.wire.connection import SDK
from allos.wire.decoder import Decoder
from allos.wire.headers import header_events
from allos.wire.http_io import (
    decode_chunk,
    decode_complete,
    decode_streamed_body,
    drain,
    encode_json,
    flushed,
    incomplete_stream,
    next_chunk,
    raise_for_status,
    timeouts,
    with_request_id,
)
from allos.wire.json_fields import dollars, json_object, records, reported_cost
from allos.wire.parameters import model_profile
from allos.wire.sse import SseDecoder

if TYPE_CHECKING:
    import httpx2

    from allos.wire.clients import Client

_FETCH_TIMEOUT_S = 600.0


class Body(NamedTuple):
    """A request body, and the parameters that could not be put into it."""

    body: dict[str, Any]
    dropped: tuple[str, ...]
    """Parameters of our vocabulary that this API or service does not accept."""
    headers: Mapping[str, str] | None = None
    """Headers of this request alone."""


class Amended(NamedTuple):
    """A body without the field that the service has just refused."""

    body: Body
    profile: Mapping[str, Any]
    """What was learned about the service, by fields of `ServiceProfile`."""


@dataclass(slots=True)
class Reply:
    """Outcome of one HTTP exchange."""

    events: list[Event] = field(default_factory=list)
    raw: Any = None
    """The complete response as JSON values."""
    error: Exception | None = None
    """Why the call failed, although some of a response came."""


class Wire(ABC):
    """Speaks one API. Stateless: one object serves every call."""

    api: str
    """Name of the API, as in `api=`, in the rows of services and in the log."""
    sdk: SDK
    path: str
    """Path of a call, below the base URL."""
    models_path = "/models"
    """Path of the list of models, below the base URL."""
    requires_max_tokens = False
    """Whether the API refuses a request without a limit on the response's length."""
    token_counters: frozenset[str] = frozenset()
    """Ways to count a prompt's tokens that `count_tokens` knows, as rows name them in `counts`."""
    public_headers: frozenset[str] = frozenset()
    """Headers of the API, lower case, that a preview may show: no secret can be in them."""
    is_real_time = True
    """Whether waits between attempts pass; otherwise they are only recorded."""

    @abstractmethod
    def body(self, request: Request) -> Body:
        """Translate a request into the API's body."""

    @abstractmethod
    def decoder(self, request: Request) -> Decoder:
        """Return a fresh decoder for the response to a request."""

    def base_url(self, url: str) -> str:
        """Return a service's address as the API's paths continue it."""
        return url.rstrip("/")

    def amend(self, body: Body, error: ProviderError) -> Amended | None:
        """Return what to send instead, where the service refused a field that is only ours.

        For servers that no row describes. None when the error is about something else.
        """
        return None

    def schema_support(self, request: Request) -> SchemaSupport:
        """How the service holds this model to a schema on this API."""
        profile = request.profile
        if profile.schema_apis is not None and self.api not in profile.schema_apis:
            return "prompt"
        of_model = model_profile(profile, request.model)
        return (of_model.schema_support if of_model else None) or profile.schema_support

    async def send(self, client: Client, request: Request, body: Body) -> Reply:
        """Make the call and decode the complete response. Loop thread."""
        response = await self.post(client, request, body, stream=False)
        if "event-stream" in response.headers.get("content-type", ""):
            return self._decode_unrequested_stream(response, request)
        return self._decode_response(response, response.content, request)

    async def stream(
        self, client: Client, request: Request, body: Body
    ) -> AsyncIterator[list[Event]]:
        """Make the call and yield the events of each arriving chunk. Loop thread.

        Raises
        ------
        IncompleteStreamError
            The stream ended without the API's own end signal, or became unreadable.
        """
        response = await self.post(client, request, body, stream=True)
        try:
            content_type = response.headers.get("content-type", "")
            if "json" in content_type or "html" in content_type:
                reply = self._decode_response(response, await response.aread(), request)
                yield reply.events
                if reply.error is not None:
                    raise reply.error
                return
            yield header_events(response.headers)
            decoder, sse = self.decoder(request), SseDecoder()
            head = b""
            chunks = response.aiter_bytes()
            error: Exception | None = None
            try:
                while (chunk := await next_chunk(chunks, decoder)) is not None:
                    if not sse.seen_field and len(head) < 2000:
                        head += chunk[:2000]
                    events, error = decode_chunk(decoder, sse.feed(chunk))
                    if events:
                        yield events
                    if error is not None or decoder.closed:
                        break
            except Exception as exc:  # noqa: BLE001 - raised below, once all that came is handed out
                error = exc
            if decoder.closed:
                await drain(chunks)
            elif error is None:
                events, error = decode_chunk(decoder, sse.end())
                if events:
                    yield events
            if events := flushed(decoder):
                yield events
            if decoder.error is not None:
                raise with_request_id(decoder.error, response.headers)
            if decoder.done:  # what ends after the API's own end signal has nothing left to lose
                return
            raise incomplete_stream(error, sse, head, response.headers)
        finally:
            await response.aclose()

    async def count_tokens(self, client: Client, request: Request, body: Body) -> int | None:
        """Tokens of a prompt as its service counts them; None when it does not say. Loop thread.

        Called where `token_counters` has the way that the service's row names.
        """
        return None

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

        `url` may begin with a slash: then it is below the client's base URL.
        """
        response = await client.send(
            "GET" if body is None else "POST",
            f"{client.base_url}{url}" if url.startswith("/") else url,
            timeout=timeouts(_FETCH_TIMEOUT_S),
            body=None if body is None else encode_json(body),
        )
        await raise_for_status(response)
        return json_object(response.content, response.headers)

    async def post(
        self, client: Client, request: Request, body: Body, *, stream: bool
    ) -> httpx2.Response:
        """Send a call and return its response, once its status is a success. Loop thread."""
        response = await client.send(
            "POST",
            f"{request.base_url}{self.path}",
            timeout=timeouts(request.timeout_s),
            body=encode_json(body.body),
            headers=body.headers,
            stream=stream,
        )
        await raise_for_status(response)
        return response

    def _decode_response(
        self, response: httpx2.Response, content: bytes, request: Request
    ) -> Reply:
        raw = json_object(content, response.headers)
        events = header_events(response.headers)
        if request.profile.cost_header:
            cost = dollars(response.headers.get(request.profile.cost_header))
            events += reported_cost({"cost": cost})
        decoded, error = decode_complete(self.decoder(request), raw, response)
        return Reply(events=events + decoded, raw=raw, error=error)

    def _decode_unrequested_stream(self, response: httpx2.Response, request: Request) -> Reply:
        """Decode a stream that came although a complete response was requested."""
        events, error = decode_streamed_body(self.decoder(request), response)
        return Reply(events=header_events(response.headers) + events, error=error)
