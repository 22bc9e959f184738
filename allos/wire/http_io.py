"""HTTP around the decoders: encode a body, check a status, read a stream to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import cache
from json import dumps
from typing import TYPE_CHECKING, Any, cast

from allos.errors import ProviderError
from allos.wire import error_mapping
from allos.wire.body_text import inflated, json_values, looks_encoded
from allos.wire.headers import request_id
from allos.wire.json_fields import json_object

if TYPE_CHECKING:
    import httpx2

    from allos.wire.clients import Client
    from allos.wire.decoder import Decoder

FETCH_TIMEOUT_S = 600.0
"""Of a request outside of calls; the files of batches have up to 256 MB."""

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


async def check_encoding(response: httpx2.Response) -> None:
    """Take back the content encoding that a response claims, where its body is not in it."""
    claimed = response.headers.get("content-encoding", "").split(",")[-1].strip().lower()
    if claimed in ("", "identity"):
        return
    chunks = aiter(cast("httpx2.AsyncByteStream", response.stream))
    first = b""
    async for first in chunks:
        if first:
            break
    if not looks_encoded(first, claimed):
        del response.headers["content-encoding"]
    response.stream = _opened_stream()(first, chunks, response.stream)


@cache
def _opened_stream() -> Any:
    import httpx2

    class OpenedStream(httpx2.AsyncByteStream):
        """A body whose first bytes have been read already."""

        def __init__(self, first: bytes, rest: AsyncIterator[bytes], whole: Any) -> None:
            self._first, self._rest, self._whole = first, rest, whole

        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield self._first
            async for chunk in self._rest:
                yield chunk

        async def aclose(self) -> None:
            await self._whole.aclose()

    return OpenedStream


async def raise_for_status(response: httpx2.Response) -> None:
    """Raise our error for a status that is no success."""
    status = response.status_code
    if 200 <= status < 300:
        return
    content = b""
    with suppress(Exception):  # the message is lost, the status is not
        content = await response.aread()
    await response.aclose()
    raise error_mapping.from_status(status, error_body(content), response.headers)


async def fetch(
    client: Client, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """GET a JSON object, or POST for it where there is a body. Loop thread.

    `url` may begin with a slash: then it is below the client's base URL.
    """
    response = await client.send(
        "GET" if body is None else "POST",
        f"{client.base_url}{url}" if url.startswith("/") else url,
        timeout=timeouts(FETCH_TIMEOUT_S),
        body=body,
        headers=headers,
        stream=True,
    )
    try:
        await check_encoding(response)
        await raise_for_status(response)
        return json_object(inflated(await response.aread()), response.headers)
    finally:
        await response.aclose()


def error_body(content: bytes) -> Any:
    """Return the error in a body: JSON, also inside an event stream, or else its bytes."""
    content = inflated(content)
    values = json_values(content)
    return next((each for each in values if isinstance(each, dict)), content)


def with_header_facts(error: Exception, headers: Mapping[str, str]) -> Exception:
    """Complete an error found inside a response with what the headers say: request id, wait."""
    if isinstance(error, ProviderError):
        error.request_id = error.request_id or request_id(headers)
        if error.retry_after_s is None and error.retryable:
            error.retry_after_s = error_mapping.wait_in_headers(type(error), headers)
    return error


async def next_chunk(chunks: AsyncIterator[bytes], decoder: Decoder) -> bytes | None:
    """Return the next chunk; None at the end, or when a finished response gets no more facts."""
    if not decoder.done or decoder.may_go_on:
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
