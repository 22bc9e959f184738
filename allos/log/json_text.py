"""JSON of any value, for rows, raw requests and conditions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def to_json_text(value: Any) -> str:
    """JSON of a value; an object that JSON cannot represent becomes its `str`."""
    return to_json_bytes(value).decode()


def to_json_bytes(value: Any) -> bytes:
    """JSON of a value in UTF-8; an object that JSON cannot represent becomes its `str`."""
    # Five times faster than json, and loaded with pydantic, which the SDKs need. Imported here because
    # this module is loaded before any SDK.
    from pydantic_core import PydanticSerializationError
    from pydantic_core import to_json as fast_json

    try:
        return fast_json(value, inf_nan_mode="strings", fallback=str)
    except (PydanticSerializationError, UnicodeDecodeError, ValueError):
        # A lone surrogate, which json escapes, or a value whose `str` fails.
        return json.dumps(value, default=_describe, skipkeys=True).encode()


def _describe(value: Any) -> str:
    if isinstance(value, Mapping | Sequence | set | frozenset):
        return repr(value)
    return f"<{type(value).__name__}>"
