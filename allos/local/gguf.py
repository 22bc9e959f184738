"""The header of a GGUF file, read before a server loads it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 3, 2024). Plain reads
instead of a memory map: a file that shrinks while it is mapped would crash the process.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from allos.errors import ConfigurationError

# GGUF's value types by number; strings (8) and arrays (9) have variable length.
_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_KNOWN_VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32
# Limit for keys, names and string values; the longest known are chat templates of about 20 kB.
_MAX_TEXT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufFacts:
    """Metadata from the header; None where it is missing or the version is unknown."""

    architecture: str | None = None
    """Family of the model, such as ``"llama"``."""
    context_length: int | None = None
    """Context length that the model was trained with."""
    chat_template: str | None = None
    """Template that turns messages into the model's prompt."""


class _DamagedError(Exception):
    pass


def read_gguf(path: Path) -> GgufFacts:
    """Read the header of a GGUF file, and check that the file is complete.

    Parameters
    ----------
    path : Path
        The model file.

    Returns
    -------
    GgufFacts
        Architecture and trained context length.

    Raises
    ------
    ConfigurationError
        The file is damaged or truncated. Truncation within the last tensor is left to llama.cpp.

    Notes
    -----
    Takes 20 to 60 ms: the vocabulary has to be skipped entry by entry.
    """
    try:
        size_bytes = path.stat().st_size
        with path.open("rb", buffering=1024 * 1024) as file:
            return _Header(file, size_bytes).facts()
    except _DamagedError as error:
        raise ConfigurationError(
            f"The model file {str(path)!r} is {error}; download or copy it again."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"The model file {str(path)!r} cannot be read: {error.strerror}."
        ) from error


class _Header:
    """One pass over the header, in the order of the file."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self.file = file
        self.size_bytes = size_bytes

    def facts(self) -> GgufFacts:
        if self._bytes(4) != b"GGUF":
            raise _DamagedError("not a GGUF file")
        if self._number("I") not in _KNOWN_VERSIONS:
            return GgufFacts()  # llama.cpp may support it, and has a clear error if not
        n_tensors, n_values = self._number("Q"), self._number("Q")
        values = dict(self._pair() for _ in range(n_values))
        alignment = values.get("general.alignment") or _DEFAULT_ALIGNMENT
        self._check_tensors(n_tensors, alignment if isinstance(alignment, int) else 0)
        architecture = values.get("general.architecture")
        length = values.get(f"{architecture}.context_length")
        template = values.get("tokenizer.chat_template")
        return GgufFacts(
            architecture=architecture if isinstance(architecture, str) else None,
            context_length=length if isinstance(length, int) and length > 0 else None,
            chat_template=template if isinstance(template, str) else None,
        )

    def _check_tensors(self, n_tensors: int, alignment: int) -> None:
        last_offset = -1
        for _ in range(n_tensors):
            self._string()
            n_dimensions = self._number("I")
            self._skip(8 * n_dimensions + 4)  # the dimensions and the type
            last_offset = max(last_offset, self._number("Q"))
        if alignment <= 0:
            raise _DamagedError("damaged")
        data_start = -(-self.file.tell() // alignment) * alignment
        if data_start + last_offset >= self.size_bytes:
            raise _DamagedError(f"truncated after {self.size_bytes:,} bytes")

    def _pair(self) -> tuple[str, int | float | str | None]:
        return self._string(), self._value(self._number("I"))

    def _value(self, kind: int) -> int | float | str | None:
        if kind in _FIXED:
            return self._number(_FIXED[kind])
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            raise _DamagedError("damaged")
        self._skip_array(self._number("I"), self._number("Q"))
        return None

    def _skip_array(self, kind: int, length: int) -> None:
        if kind in _FIXED:
            self._skip(struct.calcsize("<" + _FIXED[kind]) * length)
        elif kind == _STRING:
            # By far the longest part of a header (a vocabulary): no function calls of ours in the loop.
            read, unpack = self.file.read, struct.Struct("<Q").unpack
            try:
                for _ in range(length):
                    (n_bytes,) = unpack(read(8))
                    if len(read(n_bytes) if n_bytes <= _MAX_TEXT_BYTES else b"") < n_bytes:
                        raise _DamagedError("damaged or truncated")
            except struct.error:
                raise _DamagedError("damaged or truncated") from None
        else:
            raise _DamagedError("damaged")

    def _number(self, code: str) -> int:
        layout = struct.Struct("<" + code)
        value: int = layout.unpack(self._bytes(layout.size))[0]
        return value

    def _string(self) -> str:
        n_bytes = self._number("Q")
        if n_bytes > _MAX_TEXT_BYTES:
            raise _DamagedError("damaged")
        return self._bytes(n_bytes).decode("utf-8", "replace")

    def _bytes(self, n_bytes: int) -> bytes:
        data = self.file.read(n_bytes)
        if len(data) < n_bytes:
            raise _DamagedError("damaged or truncated")
        return data

    def _skip(self, n_bytes: int) -> None:
        if n_bytes > self.size_bytes - self.file.tell():
            raise _DamagedError("damaged or truncated")
        self.file.seek(n_bytes, 1)
