"""What the batch APIs of services share: many requests handed over at once, answered within a day for less."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from allos.errors import ProviderError
from allos.wire.http_io import FETCH_TIMEOUT_S, check_encoding, fetch, raise_for_status, timeouts

if TYPE_CHECKING:
    from allos.wire.clients import Client

PAGE = 100
"""Batches in a page of a listing."""
_MOST_PAGES = 20
CLOCK_SKEW_S = 300.0
"""How far the clock of a service may be behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBatch:
    """A batch as its service describes it."""

    id: str
    is_ended: bool = False
    done: int = 0
    """Requests that are done, whatever came of them."""
    total: int | None = None
    """All of its requests; None while the service does not say."""
    created_at: float | None = None
    """Seconds since 1970."""
    name: str | None = None
    """Name that it was submitted under, where the API keeps one."""
    error: ProviderError | None = None
    """Why the service has taken none of it."""
    results: Sequence[str] = field(default=())
    """Where its results are: paths below the base URL, those of the answers first."""


class BatchLine(NamedTuple):
    """What a batch brought for one request."""

    key: str
    outcome: Literal["answered", "failed", "expired", "cancelled"]
    content: bytes = b""
    """Body of the answer, as a call would have brought it."""
    error: ProviderError | None = None
    """Why it failed."""


class BatchApi(ABC):
    """Speaks one batch API. Stateless.

    Parameters
    ----------
    path : str
        Path of a single request, as in `allos.wire.base.Wire`.
    """

    keeps_names = True
    """Whether a batch tells the name that it was submitted under; otherwise `find` goes by time and size."""

    def __init__(self, path: str) -> None:
        self.path = path

    @abstractmethod
    def line(self, key: str, body: Mapping[str, Any]) -> bytes:
        """One request, as a part of what is submitted. `key` is of ``A-Z a-z 0-9 _ -``, at most 64."""

    @abstractmethod
    async def submit(
        self,
        client: Client,
        lines: Sequence[bytes],
        name: str,
        headers: Mapping[str, str] | None = None,
    ) -> ServiceBatch:
        """Hand requests over. Loop thread."""

    @abstractmethod
    async def poll(self, client: Client, batch_id: str) -> ServiceBatch:
        """Ask for the state of a batch. Loop thread."""

    @abstractmethod
    async def cancel(self, client: Client, batch_id: str) -> None:
        """Have no more of its requests answered; those that are done can still be read. Loop thread."""

    @abstractmethod
    def read_line(self, line: dict[str, Any]) -> BatchLine | None:
        """What a line of the results says; None when that is not clear."""

    @abstractmethod
    def _listing(self, page: Mapping[str, Any] | None) -> str | None:
        """Path of the page after this one; None after the last."""

    @abstractmethod
    def _batch(self, facts: Mapping[str, Any]) -> ServiceBatch:
        """Read the service's record of a batch."""

    async def find(self, client: Client, name: str, since: float, count: int) -> list[ServiceBatch]:
        """Batches that may be the one that was submitted under a name. Loop thread.

        Parameters
        ----------
        name : str
            As in `submit`.
        since : float
            It was not submitted before, seconds since 1970.
        count : int
            How many requests it has.
        """
        found: list[ServiceBatch] = []
        path = self._listing(None)
        for _ in range(_MOST_PAGES):
            if path is None:
                break
            page = await fetch(client, path)
            rows = [row for row in page.get("data") or () if isinstance(row, dict)]
            batches = [self._batch(row) for row in rows]
            found += [each for each in batches if self._may_be(each, name, since, count)]
            oldest = min((each.created_at for each in batches if each.created_at), default=None)
            if not rows or (oldest is not None and oldest < since - CLOCK_SKEW_S):
                break
            path = self._listing(page)
        return found

    def _may_be(self, batch: ServiceBatch, name: str, since: float, count: int) -> bool:
        if self.keeps_names:
            return batch.name == name
        is_new = batch.created_at is not None and batch.created_at >= since - CLOCK_SKEW_S
        return is_new and batch.total in (count, None)

    async def results(self, client: Client, batch: ServiceBatch) -> AsyncIterator[list[BatchLine]]:
        """The results as they arrive, some at a time; a line that is no JSON is left out. Loop thread."""
        from allos.wire.body_text import json_values

        for path in batch.results:
            async for lines in _lines(client, path):
                values = [value for line in lines for value in json_values(line)]
                read = [self.read_line(value) for value in values if isinstance(value, dict)]
                if found := [each for each in read if each is not None]:
                    yield found


async def _lines(client: Client, path: str) -> AsyncIterator[list[bytes]]:
    """Lines of a file of the service, as they arrive."""
    response = await client.send(
        "GET", f"{client.base_url}{path}", timeout=timeouts(FETCH_TIMEOUT_S), stream=True
    )
    try:
        await check_encoding(response)
        await raise_for_status(response)
        rest = b""
        async for chunk in response.aiter_bytes():
            *lines, rest = (rest + chunk).split(b"\n")
            if lines:
                yield lines
        if rest:
            yield [rest]
    finally:
        await response.aclose()
