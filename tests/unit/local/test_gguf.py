"""The header of a GGUF file."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.errors import ConfigurationError
from allos.local.gguf import GgufFacts, read_gguf


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def model_file(*, version: int = 3, data_bytes: int = 96) -> bytes:
    """A tiny model: five values (one an array of texts, one of numbers) and two tensors."""
    values = [
        text("general.architecture") + struct.pack("<I", 8) + text("tiny"),
        text("words") + struct.pack("<IIQ", 9, 8, 3) + text("a") + text("") + text("äö"),
        text("scores") + struct.pack("<IIQ", 9, 6, 2) + struct.pack("<ff", 0.5, 1.5),
        text("tiny.context_length") + struct.pack("<II", 4, 2048),
        text("tokenizer.chat_template") + struct.pack("<I", 8) + text("{{ messages }}"),
    ]
    tensors = [
        text(name) + struct.pack("<IQIQ", 1, 16, 0, offset)
        for name, offset in (("first", 0), ("second", 64))
    ]
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    head += b"".join(values) + b"".join(tensors)
    padding = -len(head) % 32
    return head + b"\0" * (padding + data_bytes)


def read(tmp_path: Path, data: bytes) -> GgufFacts:
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    return read_gguf(path)


def test_facts(tmp_path: Path) -> None:
    """Architecture, context length and template are read past arrays of texts and numbers."""
    facts = read(tmp_path, model_file())

    assert facts == GgufFacts(
        architecture="tiny", context_length=2048, chat_template="{{ messages }}"
    )


def test_every_cut_up_to_the_last_tensor_is_noticed(tmp_path: Path) -> None:
    """Wherever a download stopped, one line says so."""
    whole = model_file(data_bytes=65)
    assert read(tmp_path, whole).context_length == 2048

    for length in range(1, len(whole), 3):
        with pytest.raises(ConfigurationError, match=r"not a GGUF file|damaged|truncated"):
            read(tmp_path, whole[:length])


def test_unknown_version_is_left_to_llama_cpp(tmp_path: Path) -> None:
    """A newer format is not refused here: what it says is unknown, not wrong."""
    assert read(tmp_path, model_file(version=4)) == GgufFacts()


@pytest.mark.parametrize("kind", [13, 9, 250])
def test_unknown_kind_of_value(tmp_path: Path, kind: int) -> None:
    """A value of a kind that does not exist means damage."""
    data = model_file().replace(text("scores") + struct.pack("<II", 9, 6), text("scores") + struct.pack("<II", 9, kind))  # fmt: skip
    with pytest.raises(ConfigurationError, match="damaged"):
        read(tmp_path, data)


@given(noise=st.binary(max_size=400))
def test_noise_never_escapes(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    """Whatever follows the first bytes, the outcome is facts or one line, quickly."""
    path = tmp_path_factory.mktemp("gguf") / "noise.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + noise)
    with contextlib.suppress(ConfigurationError):
        read_gguf(path)


def test_unreadable(tmp_path: Path) -> None:
    """A missing file gives one line as well."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_gguf(tmp_path / "missing.gguf")
