"""What a batch is made of, as the log keeps it, and back: so another process can go on with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError
from allos.log.rows import messages_json
from allos.log.store.protocol import RunRecord
from allos.log.stored_messages import messages_of
from allos.providers import Provider
from allos.runs.batching.batch_plan import BatchPlan
from allos.runs.batching.calls import BatchOptions
from allos.runs.batching.data_rows import DataRows
from allos.runs.batching.finished_calls import make_record, unpacked
from allos.runs.grid import Column, Grid, build_column
from allos.runs.task import split_plain
from allos.tools.schemas import as_schema

if TYPE_CHECKING:
    from allos.log.store.protocol import Store

_DECIDED = "decided"
"""Name of the note of a batch that was stopped since it was decided."""
_NOT_KEPT = frozenset({"api_key", "headers"})
"""Keys, which are looked up again."""


def record_of(
    run_id: str,
    plan: BatchPlan,
    options: BatchOptions,
    *,
    is_paced: bool = False,
    has_data: bool = True,
) -> RunRecord:
    """Record of a batch: no key, and of the data only what the prompt uses.

    Without the data and the prompt where texts of the log are redacted. `is_paced`: it stops once it is decided.
    """
    grid = plan.grid
    request = {
        "messages": messages_json(grid.prompts[0] if has_data else ()),
        "is_chat": plan.is_chat,
        "columns": [column_facts(column) for column in grid.columns],
        "n": grid.n,
        "is_paced": is_paced,
        "options": {k: v for k, v in asdict(options).items() if k != "refresh"},
    }
    data = {
        "index": [_plain_label(label) for label in plan.frame.index.tolist()],
        "columns": {name: plan.rows.texts(name) for name in plan.names},
    }
    if plan.is_chat:
        data["columns"] = {"messages": [messages_json(prompt) for prompt in grid.prompts]}
    return make_record(run_id, plan, request, data if has_data else {})


def note_decided(store: Store, run_id: str, calls: int) -> None:
    """Note that a batch of so many calls was stopped since it was decided. Any thread."""
    store.set_run_note(run_id, _DECIDED, str(calls).encode())


def is_decided(store: Store, record: RunRecord) -> bool:
    """Whether a batch needs no more calls, since it was decided."""
    note = store.run_notes(record.id).get(_DECIDED)
    is_paced = bool(unpacked(record.request).get("is_paced"))
    return is_paced and note is not None and bytes(note) == str(record.calls).encode()


def column_facts(column: Column) -> dict[str, Any]:
    """A column as plain data, and in `missing` the names of what is none."""
    plain, withheld = split_plain(column.params)
    schema = as_schema(column.params.get("schema"))
    if schema is not None:
        named = {"name": schema.name, "description": schema.description}
        plain = {**plain, "schema": {**named, "schema": dict(schema.schema)}}
        withheld = tuple(name for name in withheld if name != "schema")
    missing = [name for name in withheld if name not in _NOT_KEPT]
    if isinstance(column.model, Provider):
        missing.append("a provider object")
    return {"model": column.name, "params": plain, "missing": missing}


def _plain_label(label: Any) -> Any:
    return label if isinstance(label, str | int | float | bool | None) else str(label)


def plan_of(record: RunRecord) -> tuple[BatchPlan, BatchOptions]:
    """Plan and options of a record.

    Raises
    ------
    ConfigurationError
        It needs what the log does not keep: a provider object, tools, images, scorers.
    """
    import pandas as pd

    request, data = unpacked(record.request), unpacked(record.data)
    if not data:
        raise ConfigurationError(
            f"The log has no data of the batch {record.id}, since its texts were redacted: run "
            "allos.batch() again with the same data, and it goes on."
        )
    if request.get("is_paced"):
        raise ConfigurationError(
            f"The batch {record.id} stops once it is decided, by scorers, which the log does not keep: run "
            "allos.evaluate() again with the same data, and it goes on; allos.batch() asks all the rest."
        )
    columns = []
    for index, facts in enumerate(request["columns"]):
        if facts["missing"]:
            raise ConfigurationError(
                f"The batch {record.id} needs {', '.join(facts['missing'])}, which the log does not "
                "keep: run allos.batch() again with the same data, and it goes on."
            )
        columns.append(build_column(index, facts["model"], facts["params"]))
    texts = data["columns"]["messages"] if request["is_chat"] else [request["messages"]]
    stored = [messages_of(text) for text in texts]
    if any(each.lost for each in stored):
        raise ConfigurationError(
            f"The prompt of the batch {record.id} has images or files, which the log does not keep: run "
            "allos.batch() again with the same data, and it goes on."
        )
    frame = pd.DataFrame(data["columns"], index=pd.Index(data["index"]))
    rows = DataRows(frame)
    prompts = [each.messages for each in stored]
    grid = Grid(prompts, columns, rows=None if request["is_chat"] else rows, n=request["n"])
    return BatchPlan(grid, rows), BatchOptions(**request["options"])
