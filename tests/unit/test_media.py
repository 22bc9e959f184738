from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.media import describe_parts, find_media, images_in, pixel_size
from allos.parts import Image
from tests.support.pictures import GIF, JPEG, PNG, WEBP

DATA = b64encode(PNG).decode()


def types(value: Any) -> list[str | None]:
    return [media.media_type for media in find_media(value)]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}},
        {"type": "output_image", "image_url": f"DATA:image/png;name=a.png;base64,{DATA}"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
        {"inlineData": {"mimeType": "image/png", "data": DATA}},
        {"inline_data": {"mime_type": "image/jpeg", "data": DATA}},
        {"type": "image_generation_call", "result": DATA},
        {"b64_json": DATA.rstrip("=").replace("+", "-").replace("/", "_")},
        {"b64_json": DATA[:20] + "\n" + DATA[20:]},
        {"type": "image_url", "image_url": {"url": f"data:text/html;base64,{DATA}"}},
        [[{"data": DATA}]],
    ],
)
def test_images_wherever_they_are(part: Any) -> None:
    """An image is found in the fields of every API, and its bytes say what it is."""
    assert types(part) == ["image/png"]
    assert images_in([part, part]) == (Image(data=PNG),)


@pytest.mark.parametrize(
    "value",
    [
        "data:image/svg+xml;base64," + b64encode(b"<svg onload=alert(1)>").decode(),
        "data:image/png;base64," + b64encode(b"<script>alert(1)</script>").decode(),
        "data:image/svg+xml,<svg onload=alert(1)>",
        "data:text/html;base64," + b64encode(b"\x00<img>").decode(),
    ],
)
def test_what_can_act_is_no_image(value: str) -> None:
    """A label does not make an image."""
    part = {"type": "image_url", "image_url": {"url": value}}

    assert images_in([part]) == ()


def test_remote_images_are_addresses() -> None:
    """A URL is told, in the part's facts as well, and nothing fetches it."""
    part = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}

    assert images_in([part]) == ()
    assert describe_parts([part]) == [{"type": "image_url", "url": "https://example.org/a.png"}]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"ID3\x04", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"\x00\x01", "audio/pcm"),
    ],
)
def test_audio(data: bytes, media_type: str) -> None:
    """Audio is told by its bytes, and else by the part's own words."""
    facts = describe_parts([{"type": "audio", "data": b64encode(data).decode()}])

    assert [(fact["media_type"], fact["size_bytes"]) for fact in facts] == [(media_type, len(data))]
    assert types({"type": "audio", "format": "opus", "data": "AAAA"}) == ["audio/opus"]


def test_texts_are_no_media() -> None:
    """A result that is text, and a part without bytes, are only named."""
    parts = [{"type": "mcp_call", "name": "add", "result": "four"}, {"type": "map", "url": "x"}]

    assert describe_parts(parts) == [{"type": "mcp_call", "name": "add"}, {"type": "map"}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "data", "url", "result", "image_url", "media_type", "source"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(part=st.dictionaries(st.sampled_from(["type", "data", "image_url", "source"]), JSON))
def test_any_part(part: dict[str, Any]) -> None:
    """Whatever a service sends as a part is described, and never raises."""
    assert describe_parts([part])
    assert all(image.data for image in images_in([part]))


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (PNG, (1, 1)),
        (b"GIF89a" + b"\x02\x01\x03\x00", (258, 3)),
        (b"RIFF....WEBPVP8X" + bytes(8) + b"\x09\x00\x00" + b"\x04\x00\x00", (10, 5)),
        (b"RIFF....WEBPVP8L" + bytes(5) + (9 | 4 << 14).to_bytes(4, "little"), (10, 5)),
        (b"RIFF....WEBPVP8 " + bytes(10) + b"\x0a\x00\x05\x00", (10, 5)),
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc2\x00\x0b\x08\x00\x05\x00\x0a", (10, 5)),
        (JPEG, None),
        (GIF[:7], None),
        (WEBP[:20], None),
        (PNG[:10], None),
        (b"text", None),
    ],
)
def test_pixel_size(data: bytes, size: tuple[int, int] | None) -> None:
    """Width and height are in the first bytes of each format, or unknown."""
    assert pixel_size(data) == size
