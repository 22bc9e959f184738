"""What the calls of a batch have brought: rows of the log, and of memory what the log does not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from allos.errors import AllosError
from allos.log.columns import FRAME_NAMES
from allos.log.store.protocol import Where
from allos.render.logged_rows import records, response_of
from allos.response import ProviderResponse
from allos.runs.batching import batch_frame
from allos.runs.batching.batch_calls import facts_without_row
from allos.runs.batching.calls import Calls, Ended
from allos.session import Session
from allos.tools.schemas import as_schema

if TYPE_CHECKING:
    import pandas as pd

    from allos.request import SchemaSpec


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One call of a batch that has ended."""

    index: Any
    """Label of its row in the data."""
    model: str
    """``provider/model``."""
    sample_index: int
    response: ProviderResponse
    """As far as the log keeps it, where the call is of an earlier run."""

    @property
    def content(self) -> str:
        """The text of the answer."""
        return self.response.content

    @property
    def parsed(self) -> Any:
        """Its value, with a schema."""
        return self.response.parsed

    @property
    def status(self) -> str:
        """``"ok"``, ``"error"`` or ``"cancelled"``."""
        return self.response.status

    @property
    def error(self) -> AllosError | None:
        """Why there is no answer."""
        return self.response.error


class BatchResults:
    """Reads the results of a batch.

    Parameters
    ----------
    run_id : str
    calls : Calls
    session : Session
    """

    def __init__(self, run_id: str, calls: Calls, session: Session) -> None:
        self._run_id = run_id
        self._calls = calls
        self._plan = calls.plan
        self._session = session
        self._store = session.log.store

    @property
    def schema(self) -> SchemaSpec | None:
        """Schema of the answers, if all columns have the same."""
        found = [as_schema(column.params.get("schema")) for column in self._plan.grid.columns]
        return found[0] if all(each == found[0] for each in found) else None

    def frame(self, positions: Sequence[int]) -> pd.DataFrame:
        """Frame of some calls, in their order."""
        logged = self._logged()
        rows = batch_frame.newest_rows(self._plan, logged)
        without = [position for position in positions if position not in rows]
        return batch_frame.joined(
            self._plan,
            logged,
            rows,
            positions,
            facts_without_row(self._calls, without),
            self.schema,
        )

    def wide(self, positions: Sequence[int], values: str | Sequence[str]) -> pd.DataFrame:
        """One row for each row of the data; see `Batch.wide`."""
        return batch_frame.wide(self._plan, self.frame(positions), positions, values)

    def _logged(self) -> pd.DataFrame:
        """Rows of the log, and after them those that are in memory."""
        import pandas as pd

        from allos.log.frame import frame_of

        frames = []
        if self._store is not None:
            from allos.log.query import read

            self._session.log.flush()
            frames.append(read(self._store, FRAME_NAMES, Where(any_of={"run_id": (self._run_id,)})))
        if self._calls.responses or not frames:
            frames.append(frame_of(list(self._calls.responses.values())))
        frames = [frame for frame in frames if len(frame)] or frames
        return frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)

    def row(self, ended: Ended) -> BatchRow:
        """One call that has ended."""
        row, column, sample = self._plan.parts(ended.position)
        response = ended.response
        if response is None:
            facts = facts_without_row(self._calls, [ended.position])[ended.position]
            response = response_of(facts)
        return BatchRow(
            self._plan.frame.index[row], self._plan.grid.columns[column].name, sample, response
        )

    def rows(self, positions: Sequence[int]) -> Iterator[BatchRow]:
        """Rows of calls that have ended before."""
        if not positions:
            return
        logged = self._logged()
        where = batch_frame.newest_rows(self._plan, logged)
        found = records(logged)
        schema = self.schema
        for position in positions:
            at = where.get(position)
            response = None if at is None else response_of(found[at])
            if response is not None and schema is not None and schema.parse is not None:
                with suppress(ValueError):
                    response = replace(response, parsed=schema.parse(response.content))
            yield self.row(Ended(position, response))
