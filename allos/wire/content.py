"""The content of a message as each API wants it: one text where all is text, else parts in order."""

from __future__ import annotations

from typing import Any

from allos.errors import ConfigurationError
from allos.messages import Message
from allos.parts import File, Image, Part, base64_of, data_uri
from allos.request import Request
from allos.wire.parameters import model_quirks


def check(request: Request) -> None:
    """Refuse images and documents for a model that is known to read text alone.

    Raises
    ------
    ConfigurationError
        Names the model and the part.
    """
    of_model = model_quirks(request.profile, request.model)
    if not (request.profile.text_only or (of_model and of_model.text_only)):
        return
    for message in request.messages:
        content = flat(message)
        for part in () if content is None or isinstance(content, str) else content:
            if not isinstance(part, str):
                raise ConfigurationError(
                    f"{request.provider}/{request.model} reads text only, and the prompt holds "
                    f"{part!r}. Nothing was sent."
                )


def flat(message: Message) -> str | list[Part] | None:
    """Content with text files spelled out; a text when nothing else is left.

    Services that take texts alone then get one, whatever the content was made of.
    """
    if message.content is None or isinstance(message.content, str):
        return message.content
    parts = [
        _spelled(part) if isinstance(part, File) and part.text is not None else part
        for part in message.content
    ]
    texts = [part for part in parts if isinstance(part, str)]
    return "\n\n".join(texts) if len(texts) == len(parts) else parts


def _spelled(file: File) -> str:
    text = file.text or ""
    end = "" if text.endswith("\n") else "\n"
    return f'<file name="{file.name}">\n{text}{end}</file>'


def chat_content(message: Message) -> str | list[dict[str, Any]] | None:
    """Content for Chat Completions."""
    content = flat(message)
    return [_chat_part(part) for part in content] if isinstance(content, list) else content


def _chat_part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, File):
        file = {"filename": part.name, "file_data": data_uri(part)}
        return {"type": "file", "file": file}
    image = {"url": data_uri(part)}
    if part.detail is not None:
        image["detail"] = part.detail
    return {"type": "image_url", "image_url": image}


def responses_content(message: Message) -> str | list[dict[str, Any]] | None:
    """Content for Responses."""
    content = flat(message)
    return [_responses_part(part) for part in content] if isinstance(content, list) else content


def _responses_part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "input_text", "text": part}
    if isinstance(part, File):
        return {"type": "input_file", "filename": part.name, "file_data": data_uri(part)}
    # The API's own description requires `detail`, and strict servers of others hold to it.
    return {"type": "input_image", "image_url": data_uri(part), "detail": part.detail or "auto"}


def messages_blocks(message: Message) -> list[dict[str, Any]]:
    """Content blocks for Messages."""
    content = flat(message)
    if not content:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    # The API answers 400 to a block of white space.
    return [_block(part) for part in content if not isinstance(part, str) or part.strip()]


def _block(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, Image) and part.url is not None:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    source = {"type": "base64", "media_type": part.media_type, "data": base64_of(part)}
    if isinstance(part, File):
        return {"type": "document", "source": source, "title": part.name}
    return {"type": "image", "source": source}


def detail_unsaid(request: Request) -> tuple[str, ...]:
    """Return ``("detail",)`` when an image asks for it, for an API that has no such thing."""
    parts = (
        part
        for message in request.messages
        if message.content is not None and not isinstance(message.content, str)
        for part in message.content
    )
    asked = any(isinstance(part, Image) and part.detail is not None for part in parts)
    return ("detail",) if asked else ()
