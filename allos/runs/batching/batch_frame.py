"""The frames of a batch: the columns of the data, those of the log, and those of the schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, did_you_mean
from allos.log.columns import FRAME_NAMES
from allos.log.frame import ROWS
from allos.runs.batching.column_labels import column_labels
from allos.runs.column_names import column_names

if TYPE_CHECKING:
    import pandas as pd

    from allos.request import SchemaSpec
    from allos.runs.batching.batch_plan import BatchPlan

LOG_SUFFIX = "_log"
"""Of a column of the log, where the data has one of the same name."""
PARSED_SUFFIX = "_parsed"
"""Of a field of the schema, where the data or the log has a column of the same name."""

_DTYPES = {"integer": "Int64", "number": "Float64", "boolean": "boolean"}


def log_name(frame: pd.DataFrame, name: str) -> str:
    """Name that a column of the log has in the frame of a batch."""
    return f"{name}{LOG_SUFFIX}" if f"{name}{LOG_SUFFIX}" in frame.columns else name


def newest_rows(plan: BatchPlan, logged: pd.DataFrame) -> dict[int, int]:
    """Row of the log for each call of the plan: the newest answer, else the newest failure.

    Parameters
    ----------
    plan : BatchPlan
    logged : pandas.DataFrame
        Rows of the batch, oldest first.
    """
    found: dict[int, int] = {}
    statuses = logged["status"].tolist()
    for at, key in enumerate(logged["task_key"].tolist()):
        position = plan.find(key) if isinstance(key, str) else None
        if position is None:
            continue
        before = found.get(position)
        if before is None or statuses[at] == "ok" or statuses[before] != "ok":
            found[position] = at
    return found


def joined(
    plan: BatchPlan,
    logged: pd.DataFrame,
    rows: Mapping[int, int],
    positions: Sequence[int],
    facts: Mapping[int, Mapping[str, Any]],
    schema: SchemaSpec | None,
) -> pd.DataFrame:
    """Frame of some calls, in their order: the data's index and columns, then the log's.

    Parameters
    ----------
    plan : BatchPlan
    logged : pandas.DataFrame
        Frame with the log's columns.
    rows : mapping
        Row of `logged` by position of the call.
    positions : sequence of int
        The calls.
    facts : mapping
        By position, what is known of a call without a row.
    schema : SchemaSpec or None
        Of the answers: its fields are columns.
    """
    import numpy as np
    import pandas as pd

    where = np.array([plan.parts(position)[0] for position in positions], dtype=np.intp)
    left = plan.frame.take(where)
    index = left.index
    take = np.array([rows.get(position, -1) for position in positions], dtype=np.intp)
    right = {
        name: logged[name].array.take(take, allow_fill=True)
        for name in FRAME_NAMES
        if name in logged
    }
    frame = pd.DataFrame(right, index=index, copy=False)
    missing = np.flatnonzero(take < 0).tolist()
    for name in {name for at in missing for name in facts.get(positions[at], {})}:
        values = frame[name].array.copy()
        for at in missing:
            value = facts.get(positions[at], {}).get(name)
            if value is not None:
                values[at] = value
        frame[name] = values
    taken = set(left.columns)
    frame = frame.rename(columns={n: f"{n}{LOG_SUFFIX}" for n in frame.columns if n in taken})
    parts = [left, frame]
    if schema is not None:
        contents = right["content"].to_numpy(dtype=object, na_value=None)
        parsed = parsed_columns(contents, schema, index)
        taken |= set(frame.columns)
        parts.append(
            parsed.rename(columns={n: f"{n}{PARSED_SUFFIX}" for n in parsed.columns if n in taken})
        )
    frame = pd.concat(parts, axis=1)
    frame.attrs["allos_rows"] = ROWS
    return frame


def parsed_columns(
    contents: Iterable[str | None], schema: SchemaSpec, index: pd.Index
) -> pd.DataFrame:
    """Fields of a schema as typed columns; null where an answer does not match the schema."""
    import pandas as pd

    values = [_fields(text, schema) for text in contents]
    columns = {}
    for name, field in _properties(schema).items():
        dtype = _dtype(field, schema)
        found = [_plain(row.get(name), dtype) for row in values]
        kind: Any = dtype or text_dtype()
        columns[name] = pd.array(found, dtype=kind)
    return pd.DataFrame(columns, index=index)


def _fields(text: str | None, schema: SchemaSpec) -> Mapping[str, Any]:
    if not isinstance(text, str) or schema.parse is None:
        return {}
    try:
        value = schema.parse(text)
    except ValueError:
        return {}
    fields = _as_json(value)
    return fields if isinstance(fields, dict) and _is_object(fields, schema) else {"value": fields}


def _is_object(fields: Mapping[str, Any], schema: SchemaSpec) -> bool:
    return list(_properties(schema)) != ["value"] or "value" in fields


def _as_json(value: Any) -> Any:
    """Value of any type that a schema may have, as a JSON value."""
    if value is None or isinstance(value, str | int | float | bool | dict | list):
        return value
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)


def _properties(schema: SchemaSpec) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.schema.get("properties") or {}
    return found


def _dtype(field: Any, schema: SchemaSpec) -> str | None:
    """Pandas' dtype of a field; None for text and for what is nested."""
    kinds = _kinds(field, schema)
    kinds.discard("null")
    if kinds == {"integer", "number"}:
        return "Float64"
    return _DTYPES.get(kinds.pop()) if len(kinds) == 1 else None


def _kinds(field: Any, schema: SchemaSpec) -> set[str]:
    if not isinstance(field, Mapping):
        return set()
    reference = field.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        return _kinds((schema.schema.get("$defs") or {}).get(name), schema)
    if "anyOf" in field:
        return {kind for each in field["anyOf"] for kind in _kinds(each, schema)}
    kind = field.get("type")
    return set(kind) if isinstance(kind, list) else {kind} if isinstance(kind, str) else set()


def _plain(value: Any, dtype: str | None) -> Any:
    if value is None:
        return None
    if dtype is None:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return value


def wide(
    plan: BatchPlan, frame: pd.DataFrame, positions: Sequence[int], values: str | Sequence[str]
) -> pd.DataFrame:
    """One row for each row of the data, and a column for each model, parameters and sample."""
    import pandas as pd

    names = column_names(values)
    for name in names:
        if name not in frame.columns:
            raise ConfigurationError(
                f"The batch has no column {name!r}.{did_you_mean(str(name), map(str, frame.columns))}"
            )
    labels = column_labels(plan)
    columns: dict[str, Any] = {}
    by_call: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    for at, position in enumerate(positions):
        row, column, sample = plan.parts(position)
        rows, places = by_call.setdefault((column, sample), ([], []))
        rows.append(row)
        places.append(at)
    for column in range(len(plan.grid.columns)):
        for sample in range(plan.grid.n):
            rows, places = by_call.get((column, sample), ([], []))
            label = labels[column] + (f" #{sample + 1}" if plan.grid.n > 1 else "")
            for name in names:
                found = pd.Series(frame[name].array.take(places), index=rows)
                title = label if len(names) == 1 else f"{label} {name}"
                columns[title] = found.reindex(range(len(plan.rows))).array
    answers = pd.DataFrame(columns, index=plan.frame.index)
    taken = set(plan.frame.columns)
    answers = answers.rename(columns={n: f"{n}{LOG_SUFFIX}" for n in answers.columns if n in taken})
    return pd.concat([plan.frame, answers], axis=1)
