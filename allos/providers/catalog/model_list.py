"""Models that a service offers, as it tells: objects, a frame, and names for completion.

What services call the same thing differs; here it gets one name each. What they do not tell is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from allos.dtypes import text_dtype

if TYPE_CHECKING:
    import pandas as pd

Lifecycle = Literal["active", "deprecated", "retired"]
_STAGES: tuple[Lifecycle, ...] = get_args(Lifecycle)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What a service tells about one of its models. None where it does not say."""

    id: str
    """Name to pass as `model`."""
    provider: str
    """Name of the service."""
    name: str | None = None
    """Name for people."""
    context_window: int | None = None
    """Tokens that prompt and answer may have together."""
    max_output_tokens: int | None = None
    """Most tokens that one answer may have."""
    created_at: datetime | None = None
    """When the service began to offer it, UTC."""
    lifecycle: Lifecycle | None = None
    """``"active"``, ``"deprecated"`` (still there, not for long) or ``"retired"``."""
    deprecated_at: datetime | None = None
    """When it was or will be deprecated, UTC."""
    shutdown_at: datetime | None = None
    """When it goes away, UTC."""
    replacement: str | None = None
    """Model that the service names in its place."""
    owned_by: str | None = None
    """Who made it."""
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
}


class ModelList(list[ModelInfo]):
    """Models of a service: a list, with `frame` for a look at all of them.

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

        Columns are the fields of `ModelInfo`, `raw` left out; `model` is the id. Texts are ``str``
        (``string`` on pandas 2), numbers ``Int64``, times ``datetime64[us, UTC]``.
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


def read(rows: Any, provider: str) -> ModelList:
    """Models in the records of a service; what is no record is left out."""
    return ModelList(
        model
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and (model := _read(row, provider)) is not None
    )


_WINDOWS = (
    *("context_window", "context_length", "max_context_length", "max_model_len"),
    *("max_input_tokens", "inputTokenLimit"),
)
_OUTPUTS = (
    *("max_output_tokens", "max_completion_tokens", "max_tokens", "outputTokenLimit"),
    "max_output_length",
)


def _read(row: Mapping[str, Any], provider: str) -> ModelInfo | None:
    id_ = _text(row, "id", "name", "model")
    if id_ is None:
        return None
    deprecated_at = _time(row, "deprecated_at", "deprecation", "deprecation_date")
    name = _text(row, "display_name", "name")
    return ModelInfo(
        id=id_,
        provider=provider,
        name=name if name != id_ else None,
        context_window=window_in(row),
        max_output_tokens=_output_in(row),
        created_at=_time(row, "created_at", "created"),
        lifecycle=_lifecycle(row, deprecated_at),
        deprecated_at=deprecated_at,
        shutdown_at=_time(row, "shutdown_date", "retires_at", "expiration_date", "retirement_date"),
        replacement=_text(row, "deprecation_replacement_model", "replacement"),
        owned_by=_text(row, "owned_by", "organization"),
        raw=row,
    )


def window_in(record: Mapping[str, Any]) -> int | None:
    """Context window in a service's own record of a model, under any of its names.

    Examples
    --------
    >>> window_in({"id": "m", "max_model_len": 32768})
    32768
    """
    found = _count(record, *_WINDOWS)
    inner = record.get("top_provider")
    return _count(inner, *_WINDOWS) if found is None and isinstance(inner, dict) else found


def _output_in(record: Mapping[str, Any]) -> int | None:
    found = _count(record, *_OUTPUTS)
    inner = record.get("top_provider")
    return _count(inner, *_OUTPUTS) if found is None and isinstance(inner, dict) else found


def loaded_window(answer: Mapping[str, Any]) -> int | None:
    """Context window in what a local server tells of itself (llama.cpp) or of a model (Ollama)."""
    settings = answer.get("default_generation_settings")
    if isinstance(settings, dict) and (found := _count(settings, "n_ctx")):
        return found
    chosen = re.search(r"^num_ctx\s+(\d+)$", str(answer.get("parameters") or ""), re.M)
    if chosen:
        return int(chosen[1])
    info = answer.get("model_info")
    for key, value in info.items() if isinstance(info, dict) else ():
        if str(key).endswith(".context_length") and isinstance(value, int) and value > 0:
            return value
    return None


def _count(record: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _text(record: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value
    return None


_EPOCH_MS = 10**11
"""More seconds than this is the year 5138: those are milliseconds."""


def _time(record: Mapping[str, Any], *names: str) -> datetime | None:
    """Time in UTC, from seconds since 1970 or an ISO text; 0, which stands for unknown, is None."""
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
    """Return the model of that name, or the only one there is: some servers ignore the name."""
    from allos.providers.catalog.model_limits import plain_name

    for model in models:
        if model.id == wanted or plain_name(model.id) == plain_name(wanted):
            return model
    return models[0] if len(models) == 1 else None


def near(wanted: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Names close to a wanted one: the same behind the slash first, then similar spellings.

    Examples
    --------
    >>> near("gpt-oss-20b", ["openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3-32b"])
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
