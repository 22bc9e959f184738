"""What the APIs share in the content of a message; each API's file has its own parts."""

from __future__ import annotations

from allos.errors import ConfigurationError
from allos.messages import Message
from allos.parts import File, Image, Part
from allos.request import Request
from allos.wire.parameters import model_profile


def check(request: Request) -> None:
    """Refuse images and documents for a model that is known to read text alone.

    Raises
    ------
    ConfigurationError
        Names the model and the part.
    """
    of_model = model_profile(request.profile, request.model)
    if not (request.profile.text_only or (of_model and of_model.text_only)):
        return
    for message in request.messages:
        content = flatten_content(message)
        for part in () if content is None or isinstance(content, str) else content:
            if not isinstance(part, str):
                raise ConfigurationError(
                    f"{request.provider}/{request.model} reads text only, and the prompt holds "
                    f"{part!r}. Nothing was sent."
                )


def flatten_content(message: Message) -> str | list[Part] | None:
    """Content with text files as text; one string where nothing but text is left.

    Services that accept text alone then get a string, whatever the content was made of.
    """
    if message.content is None or isinstance(message.content, str):
        return message.content
    parts = [
        _text_of_file(part) if isinstance(part, File) and part.text is not None else part
        for part in message.content
    ]
    texts = [part for part in parts if isinstance(part, str)]
    return "\n\n".join(texts) if len(texts) == len(parts) else parts


def _text_of_file(file: File) -> str:
    text = file.text or ""
    end = "" if text.endswith("\n") else "\n"
    return f'<file name="{file.name}">\n{text}{end}</file>'


def unsupported_detail(request: Request) -> tuple[str, ...]:
    """Return ``("detail",)`` where an image sets it, for an API that has no such field."""
    parts = (
        part
        for message in request.messages
        if message.content is not None and not isinstance(message.content, str)
        for part in message.content
    )
    is_set = any(isinstance(part, Image) and part.detail is not None for part in parts)
    return ("detail",) if is_set else ()
