"""The calls of one model at its service's batch API: handed over file by file, polled, collected.

See ``docs/explanation/batches.md``. Everything runs on the loop thread; what blocks, or takes long, runs in
threads.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from allos.errors import AllosError, ConfigurationError, ProviderError, RateLimitError
from allos.providers import Provider
from allos.runs.batching import handed_over_calls, polling
from allos.runs.batching.handed_over_calls import HandedOverCalls
from allos.runs.batching.submitted_files import SubmittedFile

if TYPE_CHECKING:
    from allos.wire.batch_api import ServiceBatch
    from allos.wire.clients import Client

SUBMISSIONS = 8
"""How often it is tried to hand over one file."""

TAKEN = (
    "another process is handing over the same calls. Run it again in a moment: it then waits for their "
    "answers. Nothing was sent twice."
)


class Calls(handed_over_calls.Calls, Protocol):
    """The calls of the whole batch; see `allos.runs.batching.provider_batch_calls`."""

    going: asyncio.Event

    def submitting(self, service: str) -> asyncio.Lock:
        """Lock of those who submit something to a service."""

    def progress(self, file: str, done: int, total: int) -> None:
        """Note how far a file is at its service."""

    def is_collected(self, file: str) -> None:
        """Note that a file is not at a service any more."""

    def forget(self, file: SubmittedFile) -> None:
        """Forget a file whose rows are in the log."""

    def fail(self, column: int, error: AllosError) -> None:
        """End all calls of a column."""


class ServiceColumn:
    """The calls of one model with one set of parameters.

    Parameters
    ----------
    calls : Calls
    column : int
        Index of the column.
    provider : Provider
    """

    def __init__(self, calls: Calls, column: int, provider: Provider) -> None:
        self._calls = calls
        self._index = column
        self._service = provider.batch_service()
        self._handed_over = HandedOverCalls(calls, column, provider)
        self._open: dict[str, SubmittedFile] = {}
        self._known: set[str] = set()
        """Names of all files that were followed or made here."""

    # ---- loop thread ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hand over and collect until every call has ended."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            for file in await asyncio.to_thread(self._handed_over.load):
                self._open[file.name] = file
                self._known.add(file.name)
                tasks.add(asyncio.create_task(self._go_on(file)))
            while True:
                await self._calls.going.wait()
                made = await asyncio.to_thread(self._handed_over.next_file)
                if made is not None:
                    tasks.add(asyncio.create_task(self._hand_over(*made)))
                elif tasks:
                    done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        task.result()
                elif not self._handed_over.has_more:
                    return
        except AllosError as exc:  # the log, most likely
            self._calls.fail(self._index, exc)
        except Exception as exc:  # noqa: BLE001 - nobody may wait for ever, even after a bug of allos
            self._calls.fail(self._index, AllosError(f"{type(exc).__name__}: {exc}"))
        finally:
            for task in tasks:
                task.cancel()

    async def cancel(self) -> None:
        """Have the service stop; errors are nobody's concern any more."""
        for file in list(self._open.values()):
            if file.id is not None:
                request = partial(self._service.api.cancel, batch_id=file.id)
                with suppress(ProviderError):
                    await self._service.call(request)

    async def _go_on(self, file: SubmittedFile) -> None:
        """Follow a file of another process."""
        if not file.positions:  # everything that it brought is in the log
            await self._forget(file)
            return
        self._calls.progress(file.name, 0, len(file.positions))
        if file.id is None:
            found = await self._find(file) or await self._find_later(file)
            if found is None:  # the service has none of it
                await self._forget(file)
                self._handed_over.ask_again(file.positions)
                return
            await self._accepted(file, found)
        await asyncio.to_thread(self._handed_over.adopt, file)
        await self._follow(file)

    async def _hand_over(self, file: SubmittedFile, lines: list[bytes]) -> None:
        # One at a time: of several whose fate is unknown, who could tell which is which?
        async with self._calls.submitting(self._service.name):
            await asyncio.to_thread(self._calls.files.save, file)  # before anything is sent
            self._known.add(file.name)
            if await asyncio.to_thread(self._calls.files.is_shared, file, self._known):
                await asyncio.to_thread(self._calls.files.remove, file)
                raise ConfigurationError(TAKEN)
            self._open[file.name] = file
            self._calls.progress(file.name, 0, len(file.positions))
            try:
                batch = await self._submit(file, lines)
            except ProviderError as exc:
                await asyncio.to_thread(self._handed_over.end_all, file.positions, exc)
                # Where nobody knows what became of it, the next run looks for it.
                await self._forget(file, keep=not _is_refusal(exc))
                return
            await self._accepted(file, batch)
        lines.clear()
        await self._follow(file)

    async def _submit(self, file: SubmittedFile, lines: list[bytes]) -> ServiceBatch:
        api = self._service.api
        for number, wait_s in enumerate(polling.policy.waits(), 1):
            try:
                return await self._service.call(
                    lambda client: api.submit(client, lines, file.name, file.headers)
                )
            except ProviderError as exc:
                if _is_refusal(exc) or number >= SUBMISSIONS:
                    raise
                is_unsure = not isinstance(exc, RateLimitError)
                wait_s = max(wait_s, exc.retry_after_s or 0.0)
            await asyncio.sleep(wait_s)
            # It may have been accepted, although no answer came.
            if is_unsure and (found := await self._find(file)) is not None:
                return found
        raise AssertionError

    async def _find(self, file: SubmittedFile) -> ServiceBatch | None:
        """Look for a file among the batches of the service."""
        known = {each.id for each in await asyncio.to_thread(self._calls.files.load)}
        api = self._service.api
        for wait_s in polling.policy.waits():
            try:
                found = await self._service.call(
                    lambda client: api.find(client, file.name, file.created_at, len(file.keys))
                )
            except ProviderError as exc:
                if not exc.retryable:
                    raise
                await asyncio.sleep(wait_s)
            else:
                return next((each for each in found if each.id not in known), None)
        raise AssertionError

    async def _find_later(self, file: SubmittedFile) -> ServiceBatch | None:
        """As `_find`, a moment later: what has just been accepted may not be listed yet."""
        await asyncio.sleep(polling.policy.first_s)
        return await self._find(file)

    async def _accepted(self, file: SubmittedFile, batch: ServiceBatch) -> None:
        file.id = batch.id
        await asyncio.to_thread(self._calls.files.save, file)

    async def _follow(self, file: SubmittedFile) -> None:
        """Wait for the end of a file, and collect it."""
        try:
            batch = await self._ended(file)
            if batch.error is not None:
                raise self._service.error(batch.error)
            left = await self._collect(file, batch)
        except ProviderError as exc:
            if exc.retryable:  # such as too many calls that wait at the service already
                await asyncio.sleep(polling.policy.longest_s)
                self._handed_over.ask_again(self._handed_over.unanswered(file))
                await self._forget(file)
                return
            await asyncio.to_thread(
                self._handed_over.end_all, self._handed_over.unanswered(file), exc
            )
            is_gone = exc.status_code == 404 or exc.status_code is None
            await self._forget(file, keep=not is_gone)
            return
        await asyncio.to_thread(self._handed_over.miss, left)
        await self._forget(file)

    async def _ended(self, file: SubmittedFile) -> ServiceBatch:
        assert file.id is not None
        batch_id = file.id
        for wait_s in polling.policy.waits():
            try:
                batch = await self._service.call(lambda c: self._service.api.poll(c, batch_id))
            except ProviderError as exc:
                if not exc.retryable:
                    raise
                wait_s = max(wait_s, exc.retry_after_s or 0.0)
            else:
                self._calls.progress(file.name, batch.done, len(file.positions))
                if batch.is_ended:
                    return batch
            await asyncio.sleep(wait_s)
        raise AssertionError

    async def _collect(self, file: SubmittedFile, batch: ServiceBatch) -> set[int]:
        """Settle what the results hold, and return the calls that are still without an answer."""
        left, heard = set(file.positions), set[int]()
        waits = polling.policy.waits()
        for attempt in range(SUBMISSIONS):
            error: ProviderError | None = None
            results = self._service.call(lambda client: self._read(client, batch, left, heard))
            try:
                await results
            except ProviderError as exc:
                error = exc
            if error is not None and not error.retryable:
                raise error
            if not left - heard or (error is None and attempt):
                return left
            await asyncio.sleep(next(waits))  # read once more before anything is asked again
        return left

    async def _read(
        self, client: Client, batch: ServiceBatch, left: set[int], heard: set[int]
    ) -> None:
        async for lines in self._service.api.results(client, batch):
            await asyncio.to_thread(self._handed_over.settle, lines, left, heard)

    async def _forget(self, file: SubmittedFile, *, keep: bool = False) -> None:
        self._open.pop(file.name, None)
        self._calls.is_collected(file.name)
        if not keep:
            await asyncio.to_thread(self._calls.forget, file)


def _is_refusal(error: ProviderError) -> bool:
    """Whether a service has surely not accepted what it was sent, and never will."""
    return error.status_code is not None and error.status_code < 500 and not error.retryable
