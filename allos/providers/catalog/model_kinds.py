"""Which models answer prompts with text: services list models for embeddings, speech and images too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_OTHER_WORDS = (
    *(
        "embed[a-z]*",
        "bge",
        "gte",
        "e5",
        "[a-z]*minilm",
        "[a-z]*retriever",
        "rerank[a-z]*",
        "voyage",
    ),  # vectors
    *("whisper", "asr", "stt", "transcrib[a-z]*", "transcription"),  # speech to text
    *("tts", "speech", "audio", "orpheus", "realtime", "live"),  # sound
    *("image[a-z]*", "imagine", "dall-e", "stable-diffusion", "sdxl", "flux"),  # pictures
    *("sora", "veo", "lyria", "video"),
    *("moderation", "[a-z]*guard", "guardian", "shieldgemma", "ocr"),  # a verdict, a transcript
    *("davinci", "babbage", "gpt-3.5-turbo-instruct"),  # continue a text, and hold no chat
)
_OTHER_NAME = re.compile(rf"(?<![a-z])(?:{'|'.join(_OTHER_WORDS)})(?![a-z])", re.IGNORECASE)

_CHAT_KINDS = frozenset(
    (
        "chat",
        "chat-completion",
        "completion",
        "language",
        "llm",
        "vlm",
        "text generation",
        "text-generation",
    )
)
_OTHER_KINDS = (
    *("audio", "classif", "embed", "image", "moderation", "rerank", "speech", "transcri", "video"),
)


def chats(model: str, reported: bool | None = None) -> bool:
    """Whether a model answers prompts: as its service says, else by its name.

    Parameters
    ----------
    model : str
    reported : bool or None
        What `chats_in` found in the service's record; None: nothing.

    Examples
    --------
    >>> [chats(name) for name in ("gpt-5-mini", "gpt-4o-mini-tts", "llama-guard-4-12b")]
    [True, False, False]
    """
    return reported if reported is not None else _OTHER_NAME.search(model) is None


def chats_in(record: Mapping[str, Any]) -> bool | None:
    """Whether a service's own record of a model says that it answers prompts; None: it does not say.

    Examples
    --------
    >>> chats_in({"id": "m", "type": "embedding"})
    False
    >>> chats_in({"id": "m", "object": "model"}) is None
    True
    """
    for flag in _flags(record):
        if isinstance(flag, bool):
            return flag
    for reads, writes in _modalities(record):
        if isinstance(writes, list) and writes:
            return "text" in writes and not (isinstance(reads, list) and "text" not in reads)
    return _by_kind(record)


def _flags(record: Mapping[str, Any]) -> Iterator[Any]:
    """Answers of yes or no."""
    yield record.get("supports_chat")
    capabilities = record.get("capabilities")
    if isinstance(capabilities, Mapping):
        yield capabilities.get("completion_chat")
        yield capabilities.get("chat_completion")


def _modalities(record: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Lists of what a model reads, and of what it writes."""
    for holder in (record, record.get("architecture")):
        if isinstance(holder, Mapping):
            for prefix in ("", "supported_"):
                yield (
                    holder.get(f"{prefix}input_modalities"),
                    holder.get(f"{prefix}output_modalities"),
                )


def _by_kind(record: Mapping[str, Any]) -> bool | None:
    """By the name of a task, or of several, one of which is to chat."""
    for field in ("type", "model_type", "task", "endpoints", "capabilities"):
        value = record.get(field)
        value = value.get("name") if isinstance(value, Mapping) else value
        kinds = [
            each.lower()
            for each in (value if isinstance(value, list) else [value])
            if isinstance(each, str)
        ]
        if any(kind in _CHAT_KINDS or kind.startswith("chat") for kind in kinds):
            return True
        if any(other in kind for kind in kinds for other in _OTHER_KINDS):
            return False
    return None
