"""Images of an answer, drawn inert, and a line for everything else that is not text.

Only bytes of a PNG, JPEG, GIF or WEBP are drawn, as a data URL in base64 that is made here: no other
format, no URL that would be fetched, and nothing of what a service calls them.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from allos.media import images_in, pixel_size
from allos.parts import Image, format_size, image_type
from allos.render.links import is_safe_link
from allos.render.plain import clean_text, escaped
from allos.response import ProviderResponse

MAX_IMAGES = 16
"""Images of one answer that are drawn."""
MAX_IMAGE_BYTES = 8_000_000
"""Of all drawn images of one answer: each stands in the notebook's file."""
MAX_PIXELS = 50_000_000
"""Of one image: a small file can hold more than a browser can."""

# Some gateways write the image into the text of the answer.
_IN_TEXT = re.compile(
    r"!\[([^\]\n]{0,200})\]\(\s*(data:image/[a-z.+-]{1,20};base64,[^\s)\"']+)\s*\)"
)


def split_images(text: str) -> tuple[str, tuple[Image, ...]]:
    """Text with its Markdown images that are data URLs replaced by their descriptions, and these images.

    Examples
    --------
    >>> split_images("A cat: ![a cat](data:image/png;base64,iVBORw0KGgo=)")
    ('A cat: (image: a cat)', (Image(png, 8 bytes),))
    """
    if ";base64," not in text:
        return text, ()
    images: list[Image] = []

    def describe(found: re.Match[str]) -> str:
        inside = images_in([found[2]])
        if not inside:
            return found[0]
        images.extend(inside)
        return f"(image: {found[1]})" if found[1].strip() else "(image)"

    return _IN_TEXT.sub(describe, text), tuple(dict.fromkeys(images))


def media_html(response: ProviderResponse, in_text: tuple[Image, ...] = ()) -> str:
    """Images of one response, and a quiet line for each part that is not drawn.

    Parameters
    ----------
    response : ProviderResponse
    in_text : tuple of Image
        Images that were in its text.
    """
    parts = _parts(response)
    if not parts and not in_text:
        return ""
    images = {image.content_hash: image for image in (*in_text, *response.images)}
    drawn = {image.content_hash for image in _drawn(tuple(images.values()))}
    pieces = [_image(images[key]) for key in images if key in drawn]
    pieces += [_note(image_label(image)) for key, image in images.items() if key not in drawn]
    pieces += [_line(part) for part in parts if part.get("sha256") not in images]
    return "".join(pieces)


def prompt_media_html(images: Sequence[Image], files: Sequence[str]) -> str:
    """Images of a prompt, and a quiet line for each file and each image that is not drawn.

    Parameters
    ----------
    images : sequence of Image
    files : sequence of str
        Labels.
    """
    own = tuple(dict.fromkeys(image for image in images if _is_drawable(image)))
    drawn = {image.content_hash for image in _drawn(own)}
    pieces = [
        _image(image)
        if image.content_hash in drawn
        else _line(
            {"url": image.url, "media_type": image.media_type, "size_bytes": image.size_bytes}
        )
        for image in dict.fromkeys(images)
    ]
    return "".join((*pieces, *map(_note, files)))


def prompt_media_texts(images: Sequence[Image], files: Sequence[str]) -> list[str]:
    """Plain-text version of `prompt_media_html`."""
    return [*(image.url or image_label(image) for image in images), *files]


def media_texts(response: ProviderResponse, in_text: tuple[Image, ...] = ()) -> list[str]:
    """Plain-text version of `media_html`: ``image/png, 12 kB``."""
    return [*map(image_label, in_text), *map(part_label, _parts(response))]


def image_label(image: Image) -> str:
    """Type and size of an image."""
    return f"{image.media_type}, {format_size(image.size_bytes or 0)}"


def part_label(part: Mapping[str, Any]) -> str:
    """Label of a part, by its facts in `parts` of the metadata."""
    if part.get("url"):
        return f"[image: {part['url']}]"
    kind, size = part.get("media_type"), part.get("size_bytes")
    if kind and isinstance(size, int):
        return f"{kind}, {format_size(size)}"
    return " ".join(str(part[name]) for name in ("type", "name") if part.get(name)) or "part"


def _parts(response: ProviderResponse) -> list[Mapping[str, Any]]:
    """Parts that a reader sees: media always, what else there is where it is all of the answer."""
    parts = response.metadata.get("parts") or []
    media = [part for part in parts if part.get("media_type") or part.get("url")]
    is_all = not (response.content.strip() or response.refusal or response.tool_calls)
    return media or (list(parts) if is_all else [])


def _is_drawable(image: Image) -> bool:
    """Whether it is of a format that browsers draw: a person may send any other."""
    return image.data is not None and image_type(image.data) is not None


def _drawn(images: tuple[Image, ...]) -> list[Image]:
    """Images within the limits of this module."""
    found: list[Image] = []
    left = MAX_IMAGE_BYTES
    for image in images[:MAX_IMAGES]:
        size = image.size_bytes or 0
        width, height = pixel_size(image.data or b"") or (0, 0)
        if size <= left and width * height <= MAX_PIXELS:
            found.append(image)
            left -= size
    return found


def _image(image: Image) -> str:
    data = b64encode(image.data or b"").decode("ascii")
    label = escaped(image_label(image))
    return f'<img class="allos-img" alt="{label}" src="data:{image.media_type};base64,{data}">'


def _line(part: Mapping[str, Any]) -> str:
    url = str(part.get("url") or "")
    if url and is_safe_link(url):
        link = escaped(url)
        return (
            f'<p class="allos-note">[image: <a href="{link}" target="_blank" '
            f'rel="noopener noreferrer">{link}</a>]</p>'
        )
    return _note(part_label(part))


def _note(label: str) -> str:
    return f'<p class="allos-note">{escaped(clean_text(label))}</p>'
