"""What all wires share: one exchange with a service, as a complete response or as a stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from allos.errors import ProviderError
from allos.events import Event, ResponseFacts
from allos.profiles import SchemaSupport
from allos.request import Request
from allos.wire.connection import SDK
from allos.wire.decoder import Decoder
from allos.wire.headers import header_events
from allos.wire.http_io import (
    check_encoding,
    drain,
    encode_json,
    fetch,
    next_chunk,
    raise_for_status,
    timeouts,
)
from allos.wire.json_fields import dollars, records, reported_cost
from allos.wire.parameters import model_profile
from allos.wire.reply_reader import ReplyReader

if TYPE_CHECKING:
    import httpx2

    from allos.wire.batch_api import BatchApi
    from allos.wire.clients import Client


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
        """Make the call and decode the response once it is complete. Loop thread."""
        response = await self.post(client, request, body)
        try:
            content = await response.aread()
        finally:
            await response.aclose()
        return self.read(request, content, response.headers)

    def read(self, request: Request, content: bytes, headers: Mapping[str, str]) -> Reply:
        """Decode a complete response."""
        reader = ReplyReader(self.decoder(request), headers)
        events = [*header_events(headers), *reader.feed(content), *reader.end()]
        events += _cost(reader, request)
        return Reply(events=events, raw=reader.raw, error=reader.error)

    async def stream(
        self, client: Client, request: Request, body: Body
    ) -> AsyncIterator[list[Event]]:
        """Make the call and yield the events of each arriving chunk. Loop thread.

        Raises
        ------
        IncompleteStreamError
            The stream ended without the API's own end signal, or became unreadable.
        """
        response = await self.post(client, request, body)
        try:
            yield header_events(response.headers)
            decoder = self.decoder(request)
            reader = ReplyReader(decoder, response.headers)
            chunks = response.aiter_bytes()
            try:
                while (chunk := await next_chunk(chunks, decoder)) is not None:
                    if events := reader.feed(chunk):
                        yield events
                    if reader.error is not None or decoder.closed:
                        break
            except Exception as exc:  # noqa: BLE001 - raised below, once all that came is handed out
                reader.error = exc
            if decoder.closed:
                await drain(chunks)
            if events := [*reader.end(), *_cost(reader, request)]:
                yield events
            if reader.error is not None:
                raise reader.error
        finally:
            await response.aclose()

    def batches(self) -> BatchApi | None:
        """The API that takes many requests at once and answers later; None where there is none."""
        return None

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
        return await fetch(client, url, None if body is None else encode_json(body))

    async def post(self, client: Client, request: Request, body: Body) -> httpx2.Response:
        """Send a call and return its response, unread, once its status is a success. Loop thread."""
        response = await client.send(
            "POST",
            f"{request.base_url}{self.path}",
            timeout=timeouts(request.timeout_s),
            body=encode_json(body.body),
            headers=body.headers,
            stream=True,
        )
        try:
            await check_encoding(response)
            await raise_for_status(response)
        except BaseException:
            await response.aclose()
            raise
        return response


def _cost(reader: ReplyReader, request: Request) -> list[ResponseFacts]:
    """Return the cost that some services put into a header of complete responses."""
    if reader.raw is None or not request.profile.cost_header:
        return []
    return reported_cost({"cost": dollars(reader.headers.get(request.profile.cost_header))})
