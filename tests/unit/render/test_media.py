"""Images and other parts of an answer on the screen."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from allos.media import describe_parts
from allos.render import media
from allos.render.answer import answer_html, answer_text
from allos.render.comparison_columns import COLOURS, root_class
from allos.render.comparison_facts import answer_key
from allos.render.comparison_table import comparison_html
from allos.render.comparison_text import comparison_text
from allos.render.plain import clean_text
from allos.render.style import COMPARISON_CSS, CSS, sheet_of
from allos.response import ProviderResponse
from tests.support.hostile import HOSTILE_PARTS, judge
from tests.support.pictures import GIF, JPEG, PNG, WEBP
from tests.unit.render.comparison_views import repeats

FACTS = {"provider": "openrouter", "model": "m", "finish_reason": "stop"}


def part(data: bytes, kind: str = "image/png") -> dict[str, Any]:
    url = f"data:{kind};base64,{b64encode(data).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def response(*parts: dict[str, Any], content: str = "", **facts: Any) -> ProviderResponse:
    """A response as the engine makes it of these parts."""
    known = {**FACTS, "parts": describe_parts(parts), **facts}
    return ProviderResponse(content, metadata=known, raw=parts)


def shown(answer: ProviderResponse) -> str:
    """HTML of a cell; it must be clean."""
    html = answer_html(answer)
    faults, _ = judge(html, styles=frozenset({sheet_of(html)}), images=True)
    assert faults == []
    return html


@pytest.mark.parametrize(
    ("data", "kind"), [(PNG, "png"), (JPEG, "jpeg"), (GIF, "gif"), (WEBP, "webp")]
)
def test_an_image_is_drawn(data: bytes, kind: str) -> None:
    """An answer that is an image shows it, in a terminal its type and size."""
    answer = response(part(data, "image/any"))
    html = shown(answer)

    assert f'src="data:image/{kind};base64,{b64encode(data).decode()}"' in html
    assert "no text" not in html
    assert answer_text(answer).splitlines()[0] == f"image/{kind}, {len(data)} bytes"


def test_text_and_image() -> None:
    """An image comes below its text; each is drawn once."""
    html = shown(response(part(PNG), part(PNG), content="A cat."))

    assert html.count("<img") == 1
    assert html.index("A cat.") < html.index("<img")


def test_an_image_in_the_text() -> None:
    """An image that a gateway writes into the text as Markdown is drawn, and its text is no mess."""
    url = part(PNG)["image_url"]["url"]
    answer = ProviderResponse(f"Here:\n\n![a cat]({url})\n\nNice?", metadata=FACTS)

    assert shown(answer).count("<img") == 1
    assert "base64" not in answer_text(answer)
    assert answer_text(answer).startswith("Here:\n\n(image: a cat)\n\nNice?\nimage/png, ")


def test_too_many_or_too_large_images_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limits an image is a line; the bytes stay in the response."""
    others = [PNG + bytes([number]) for number in range(3)]
    answer = response(*(part(data) for data in others))
    monkeypatch.setattr(media, "MAX_IMAGES", 2)
    few = shown(answer)
    monkeypatch.setattr(media, "MAX_IMAGE_BYTES", len(others[0]))
    small = shown(answer)
    bomb = PNG[:16] + (60_000).to_bytes(4, "big") * 2 + PNG[24:]

    assert (few.count("<img"), small.count("<img")) == (2, 1)
    assert small.count(f"image/png, {len(others[0])} bytes</p>") == 2
    assert "<img" not in shown(response(part(bomb)))
    assert len(answer.images) == 3


def test_what_is_not_an_image_is_named() -> None:
    """Audio is a line; a tool that the service ran only where there is nothing else to see."""
    audio = {"type": "audio", "data": b64encode(b"ID3...").decode()}
    search = {"type": "web_search_call", "id": "ws"}

    assert "audio/mpeg, 6 bytes" in shown(response(audio, content="Hi"))
    assert "web_search_call" in shown(response(search))
    assert "web_search_call" not in shown(response(search, content="Hi"))


def test_a_logged_row_has_no_bytes() -> None:
    """Where the bytes are not, the image is a line."""
    facts = describe_parts([part(PNG)])
    answer = ProviderResponse("", metadata={**FACTS, "parts": facts})

    assert f"image/png, {len(PNG)} bytes" in shown(answer)
    assert "<img" not in shown(answer)


@pytest.mark.parametrize("hostile", [pytest.param(part, id=name) for name, part in HOSTILE_PARTS])
@pytest.mark.parametrize("in_cell", [True, False])
def test_hostile_parts_are_inert(hostile: dict[str, Any], in_cell: bool) -> None:
    """Whatever a service calls an image, nothing runs, loads or breaks out of its attribute."""
    answer = response(hostile)
    if in_cell:
        shown(answer)
        assert clean_text(answer_text(answer)) == answer_text(answer)
        return
    view = repeats(answer)
    html = comparison_html(view)
    ours = frozenset({f"allos-c{slot}" for slot in range(COLOURS)} | {root_class(view.id)})
    faults, _ = judge(html, styles=frozenset({CSS + COMPARISON_CSS}), classes=ours, images=True)
    assert faults == []
    assert clean_text(comparison_text(view)) == comparison_text(view)


def test_a_comparison_shows_images() -> None:
    """The table draws them, its text names them, and repeats with other images differ."""
    other = PNG + b"x"
    view = repeats(response(part(PNG)), response(part(other)), response(part(PNG)))

    assert comparison_html(view).count("<img") == 2
    assert "2 of 3 repeats are the same" in comparison_html(view)
    assert comparison_text(view).count("image/png, ") == 2
    assert answer_key(response(part(PNG))) != answer_key(response(part(other)))


def test_remote_images_are_links() -> None:
    """The reader sees where an image would come from, and nothing loads it."""
    html = shown(response({"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}))

    assert '[image: <a href="https://example.org/a.png"' in html
    assert "<img" not in html
