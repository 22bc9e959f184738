"""Models that a service lists: objects, a DataFrame, and names for completion.

Services use different field names; here each field has one name. What a service does not report is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from allos.dtypes import text_dtype
from allos.providers.catalog.model_kinds import chats_in

if TYPE_CHECKING:
    import pandas as pd

Lifecycle = Literal["active", "deprecated", "retired"]
_STAGES: tuple[Lifecycle, ...] = get_args(Lifecycle)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model as its service reports it. None where the service does not report a value."""

    id: str
    """Name to pass as `model`."""
    provider: str
    """Name of the service."""
    name: str | None = None
    """Display name."""
    context_window: int | None = None
    """Most tokens of prompt and answer together."""
    max_output_tokens: int | None = None
    """Most tokens of one answer."""
    created_at: datetime | None = None
    """When it was created or added, UTC."""
    lifecycle: Lifecycle | None = None
    """``"active"``, ``"deprecated"`` (still available) or ``"retired"``."""
    deprecated_at: datetime | None = None
    """When it was or will be deprecated, UTC."""
    shutdown_at: datetime | None = None
    """When it was or will be retired, UTC."""
    replacement: str | None = None
    """Model that the service recommends instead."""
    owned_by: str | None = None
    """Owner or creator."""
    chats: bool | None = None
    """Whether it answers prompts with text; False: it makes embeddings, speech or images."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The service's own record."""


_DTYPES = {
    "provider": "str",
    "model": "str",
    "name": "str",
    "context_window": "Int64",
    "max_output_tokens": "Int64",
    "created_at": "datetime64[us, UTC]",
    "lifecycle": "str",
    "deprecated_at": "datetime64[us, UTC]",
    "shutdown_at": "datetime64[us, UTC]",
    "replacement": "str",
    "owned_by": "str",
    "chats": "boolean",
}


class ModelList(list[ModelInfo]):
    """Models of a service: a list, and a DataFrame as `frame`.

    Examples
    --------
    >>> models = ModelList([ModelInfo(id="m", provider="groq", context_window=131072)])
    >>> models.ids
    ['m']
    >>> int(models.frame["context_window"].max())
    131072
    """

    @property
    def ids(self) -> list[str]:
        """Names to pass as `model`, in the service's order."""
        return [model.id for model in self]

    @property
    def frame(self) -> pd.DataFrame:
        """DataFrame with one row per model; the columns and dtypes are the same when it is empty.

        Columns are the fields of `ModelInfo` without `raw`; `model` is the id. Strings are ``str``
        (``string`` on pandas 2), numbers ``Int64``, `chats` ``boolean``, times ``datetime64[us, UTC]``.
        """
        import pandas as pd

        columns = {
            column: [getattr(model, "id" if column == "model" else column) for model in self]
            for column in _DTYPES
        }
        text = text_dtype()
        dtypes = {name: text if dtype == "str" else dtype for name, dtype in _DTYPES.items()}
        return pd.DataFrame({name: pd.Series(columns[name], dtype=dtypes[name]) for name in dtypes})

    def __repr__(self) -> str:
        some = ", ".join(self.ids[:5]) + (", ..." if len(self) > 5 else "")
        return f"ModelList({len(self)} models: {some})" if self else "ModelList([])"


def parse_models(rows: Any, provider: str) -> ModelList:
    """Parse the records of a service; anything that is not a record is skipped."""
    return ModelList(
        model
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and (model := _parse_model(row, provider)) is not None
    )


_WINDOWS = (
    *("context_window", "context_length", "max_context_length", "max_model_len"),
    *("max_input_tokens", "inputTokenLimit"),
)
_OUTPUTS = (
    *("max_output_tokens", "max_completion_tokens", "max_tokens", "outputTokenLimit"),
    "max_output_length",
)


def _parse_model(row: Mapping[str, Any], provider: str) -> ModelInfo | None:
    id_ = _first_string(row, "id", "name", "model")
    if id_ is None:
        return None
    deprecated_at = _first_time(row, "deprecated_at", "deprecation", "deprecation_date")
    name = _first_string(row, "display_name", "name")
    return ModelInfo(
        id=id_,
        provider=provider,
        name=name if name != id_ else None,
        context_window=context_window_in(row),
        max_output_tokens=_output_in(row),
        created_at=_first_time(row, "created_at", "created"),
        lifecycle=_lifecycle(row, deprecated_at),
        deprecated_at=deprecated_at,
        shutdown_at=_first_time(
            row, "shutdown_date", "retires_at", "expiration_date", "retirement_date"
        ),
        replacement=_first_string(row, "deprecation_replacement_model", "replacement"),
        owned_by=_first_string(row, "owned_by", "organization"),
        chats=chats_in(row),
        raw=row,
    )


def context_window_in(record: Mapping[str, Any]) -> int | None:
    """Context window in a service's own record of a model, under any of the known field names.

    Examples
    --------
    >>> context_window_in({"id": "m", "max_model_len": 32768})
    32768
    """
    found = _first_count(record, *_WINDOWS)
    inner = record.get("top_provider")
    return _first_count(inner, *_WINDOWS) if found is None and isinstance(inner, dict) else found


def _output_in(record: Mapping[str, Any]) -> int | None:
    found = _first_count(record, *_OUTPUTS)
    inner = record.get("top_provider")
    return _first_count(inner, *_OUTPUTS) if found is None and isinstance(inner, dict) else found


def loaded_context_window(answer: Mapping[str, Any]) -> int | None:
    """Context window in a local server's reply about itself (llama.cpp) or a model (Ollama)."""
    settings = answer.get("default_generation_settings")
    if isinstance(settings, dict) and (found := _first_count(settings, "n_ctx")):
        return found
    chosen = re.search(r"^num_ctx\s+(\d+)$", str(answer.get("parameters") or ""), re.M)
    if chosen:
        return int(chosen[1])
    info = answer.get("model_info")
    for key, value in info.items() if isinstance(info, dict) else ():
        if str(key).endswith(".context_length") and isinstance(value, int) and value > 0:
            return value
    return None


def _first_count(record: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _first_string(record: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None


_EPOCH_MS = 10**11
"""Larger values are milliseconds: as seconds they would be after the year 5138."""


def _first_time(record: Mapping[str, Any], *names: str) -> datetime | None:
    """Time in UTC, from seconds since 1970 or an ISO 8601 string; 0, which means unknown, is None."""
    for name in names:
        value = record.get(name)
        try:
            if isinstance(value, str) and value.strip():
                found = datetime.fromisoformat(value.strip())
                found = found if found.tzinfo else found.replace(tzinfo=UTC)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                seconds = value / 1000 if value > _EPOCH_MS else value
                found = datetime.fromtimestamp(seconds, UTC)
            else:
                continue
        except (ValueError, OverflowError, OSError):
            continue
        if found.timestamp() > 0:
            return found.astimezone(UTC)
    return None


def _lifecycle(row: Mapping[str, Any], deprecated_at: datetime | None) -> Lifecycle | None:
    for known in _STAGES:
        if row.get("lifecycle") == known:
            return known
    if isinstance(row.get("active"), bool):
        return "active" if row["active"] else "retired"
    return "deprecated" if deprecated_at is not None else None


def find(models: Sequence[ModelInfo], wanted: str) -> ModelInfo | None:
    """Return the model of that name, or the only model: some servers ignore the name."""
    from allos.providers.catalog.model_limits import plain_name

    for model in models:
        if model.id == wanted or plain_name(model.id) == plain_name(wanted):
            return model
    return models[0] if len(models) == 1 else None


def close_names(wanted: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Names similar to a given one: equal after the slash first, then similar spellings.

    Examples
    --------
    >>> close_names("gpt-oss-20b", ["openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3-32b"])
    ['openai/gpt-oss-20b', 'openai/gpt-oss-120b']
    """
    import difflib

    others = {name.lower(): name for name in names if name != wanted}
    typed = wanted.lower()
    tail = typed.rpartition("/")[2]
    same = [key for key in others if key.rpartition("/")[2] == tail]
    tails = {key.rpartition("/")[2]: key for key in reversed(list(others))}
    close = difflib.get_close_matches(typed, others, n=count, cutoff=0.6)
    close += [tails[key] for key in difflib.get_close_matches(tail, tails, n=count, cutoff=0.6)]
    return [others[key] for key in dict.fromkeys([*same, *close])][:count]
