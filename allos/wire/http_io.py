"""HTTP around the decoders: encode a body, check a status, read a stream to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import cache
from json import dumps
from typing import TYPE_CHECKING, Any

from allos.errors import IncompleteStreamError, ProviderError
from allos.events import Event
from allos.wire import error_mapping
from allos.wire.headers import request_id
from allos.wire.json_fields import repaired_json
from allos.wire.sse import ServerEvent, SseDecoder

if TYPE_CHECKING:
    import httpx2

    from allos.wire.decoder import Decoder

_DRAIN_S = 0.05
"""How long to wait for the end of the body after the API's end signal, to keep the connection."""

_MAX_TIMEOUT_S = 1e8
"""A timeout of years is none: event loops count in numbers of limited size."""

_TAIL_S = 5.0
"""How long a finished response waits for its last facts (usage) from a server that stays silent."""


def encode_json(body: Mapping[str, Any]) -> bytes:
    """Encode a body, as short as JSON can be."""
    text = dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:  # half an emoji in a prompt: JSON can say it, UTF-8 cannot
        return dumps(body, separators=(",", ":"), allow_nan=False).encode()


@cache
def timeouts(timeout_s: float) -> dict[str, float | None]:
    """Return the HTTP library's timeouts for a request."""
    longest = timeout_s if timeout_s <= _MAX_TIMEOUT_S else None
    return {"connect": min(timeout_s, 10.0), "read": longest, "write": longest, "pool": longest}


async def raise_for_status(response: httpx2.Response) -> None:
    """Raise our error for a status that is no success."""
    status = response.status_code
    if 200 <= status < 300:
        return
    content = b""
    with suppress(Exception):  # the message is lost, the status is not
        content = await response.aread()
    await response.aclose()
    body: Any = content
    with suppress(ValueError):
        body = repaired_json(content)
    raise error_mapping.from_status(status, body, response.headers)


def with_request_id(error: Exception, headers: Mapping[str, str]) -> Exception:
    """Complete an error found inside a response with the request id of its headers."""
    if isinstance(error, ProviderError) and error.request_id is None:
        error.request_id = request_id(headers)
    return error


def incomplete_stream(
    error: Exception | None, sse: SseDecoder, head: bytes, headers: Mapping[str, str]
) -> Exception:
    """Return the error of a stream that ended before the API's own end signal."""
    if error is not None:
        return with_request_id(error, headers)
    if not sse.seen_field:
        return error_mapping.no_answer(head, headers)
    return IncompleteStreamError("the stream ended before the answer was complete", retryable=True)


def decode_chunk(
    decoder: Decoder, arrived: list[ServerEvent]
) -> tuple[list[Event], Exception | None]:
    """Events of one chunk, and the error that stopped it: the events before the error are kept."""
    events: list[Event] = []
    for name, data in arrived:
        try:
            found = decoder.decode_event(name, data)
            if decoder.joiner is not None:
                found = decoder.joiner.join(found)
            events.extend(found)  # keeps what came before an error
        except Exception as exc:  # noqa: BLE001 - handed on
            return events, exc
        if decoder.error is not None:
            return events, decoder.error
        if decoder.closed:
            break
    return events, None


def flushed(decoder: Decoder) -> list[Event]:
    """Return what a decoder had held back, once no more will come."""
    events = decoder.flush()
    if decoder.joiner is None:
        return events
    return [*decoder.joiner.end(), *decoder.joiner.join(events)]


def decode_complete(
    decoder: Decoder, raw: dict[str, Any], response: httpx2.Response
) -> tuple[list[Event], ProviderError | None]:
    """Events of a complete response, and the error that it reports; see `decode_chunk`."""
    events: list[Event] = []
    error: ProviderError | None
    try:
        # What a failed response holds (its id, its tokens, some text) is kept: it comes one by one.
        events.extend(decoder.decode_response(raw))
        events += flushed(decoder)
        error = decoder.error
    except ProviderError as exc:
        error = exc
    if error is not None:
        error.status_code = error.status_code or response.status_code
        with_request_id(error, response.headers)
    return events, error


def decode_streamed_body(
    decoder: Decoder, response: httpx2.Response
) -> tuple[list[Event], Exception | None]:
    """Events of a stream that has arrived completely, and its error; see `decode_chunk`."""
    sse = SseDecoder()
    events, error = decode_chunk(decoder, [*sse.feed(response.content), *sse.end()])
    events += flushed(decoder)
    if decoder.error is None and decoder.done:
        return events, None
    error = decoder.error or error
    return events, incomplete_stream(error, sse, response.content, response.headers)


async def next_chunk(chunks: AsyncIterator[bytes], decoder: Decoder) -> bytes | None:
    """Return the next chunk; None at the end, or when a finished response gets no more facts."""
    if not decoder.done:
        return await anext(chunks, None)
    import asyncio

    try:
        async with asyncio.timeout(_TAIL_S):
            return await anext(chunks, None)
    except TimeoutError:
        return None


async def drain(chunks: AsyncIterator[bytes]) -> None:
    """Read a finished body to its end, so that the connection can be used again."""
    import asyncio

    with suppress(Exception):
        async with asyncio.timeout(_DRAIN_S):
            async for _ in chunks:
                pass
