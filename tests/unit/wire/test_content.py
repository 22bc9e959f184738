from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.errors import ConfigurationError
from allos.messages import Message
from allos.parts import File, Image
from allos.profiles import Api, ModelProfile, ServiceProfile
from allos.wire.content import check
from tests.support.decoding import APIS, body, request
from tests.support.pictures import PDF, PNG

PICTURE = Image(data=PNG)
CLOSE = Image(data=PNG, detail="high")
LINKED = Image(url="https://x.org/cat.jpg")
PAPER = File(data=PDF, name="paper.pdf")
NOTES = File(data=b"a,b\n1,2", name="notes.csv")

ENCODED = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{ENCODED}"
PAPER_ENCODED = base64.b64encode(PDF).decode()
SPELLED = '<file name="notes.csv">\na,b\n1,2\n</file>'

EVERYTHING = ["One", PICTURE, CLOSE, LINKED, PAPER, NOTES]
EXPECTED: dict[Api, list[dict[str, Any]]] = {
    "chat": [
        {"type": "text", "text": "One"},
        {"type": "image_url", "image_url": {"url": URI}},
        {"type": "image_url", "image_url": {"url": URI, "detail": "high"}},
        {"type": "image_url", "image_url": {"url": "https://x.org/cat.jpg"}},
        {
            "type": "file",
            "file": {
                "filename": "paper.pdf",
                "file_data": f"data:application/pdf;base64,{PAPER_ENCODED}",
            },
        },
        {"type": "text", "text": SPELLED},
    ],
    "responses": [
        {"type": "input_text", "text": "One"},
        {"type": "input_image", "image_url": URI, "detail": "auto"},
        {"type": "input_image", "image_url": URI, "detail": "high"},
        {"type": "input_image", "image_url": "https://x.org/cat.jpg", "detail": "auto"},
        {
            "type": "input_file",
            "filename": "paper.pdf",
            "file_data": f"data:application/pdf;base64,{PAPER_ENCODED}",
        },
        {"type": "input_text", "text": SPELLED},
    ],
    "messages": [
        {"type": "text", "text": "One"},
        *[
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": ENCODED},
            }
        ]
        * 2,
        {"type": "image", "source": {"type": "url", "url": "https://x.org/cat.jpg"}},
        {
            "type": "document",
            "source": {
                "type": "base64",
                "media_type": "application/pdf",
                "data": PAPER_ENCODED,
            },
            "title": "paper.pdf",
        },
        {"type": "text", "text": SPELLED},
    ],
}


def sent(api: Api, *content: Any) -> Any:
    """Content of the last turn as it goes out."""
    made = body(api, Message("user", content)).body  # type: ignore[arg-type]
    return (made.get("messages") or made["input"])[-1]["content"]


@pytest.mark.parametrize("api", APIS)
def test_every_part(api: Api) -> None:
    """Every part has its form on every API, in the order of the content."""
    assert sent(api, *EVERYTHING) == EXPECTED[api]


@pytest.mark.parametrize("api", APIS)
def test_text_alone_is_a_plain_text(api: Api) -> None:
    """What is text goes out as one text, a text file too: every service takes that."""
    assert sent(api, "One") == "One"
    assert sent(api, "One", "two") == "One\ntwo"
    assert sent(api, "Sum:", NOTES) == f"Sum:\n\n{SPELLED}"


@pytest.mark.parametrize("api", APIS)
@given(texts=st.lists(st.text().filter(str.strip)))
def test_text_beside_an_image_is_unchanged(api: Api, texts: list[str]) -> None:
    """Every text beside an image goes out byte for byte."""
    blocks = sent(api, *texts, PICTURE)

    assert [block["text"] for block in blocks[:-1]] == texts


def test_blank_text_stays_out_of_messages() -> None:
    """The Messages API refuses blocks of white space; they are left out."""
    assert [block["type"] for block in sent("messages", PICTURE, " \n", PICTURE)] == ["image"] * 2


def test_detail_that_messages_lacks_is_dropped() -> None:
    """Messages has no `detail`: it is among the dropped parameters, where it was set."""
    message = Message("user", ["One", CLOSE])  # type: ignore[arg-type]

    assert body("messages", message).dropped == ("detail",)
    assert body("messages", Message("user", ["One", PICTURE])).dropped == ()  # type: ignore[arg-type]
    assert body("chat", message).dropped == ()


TEXT_MODELS = ServiceProfile(models=(ModelProfile(match="^text-", text_only=True),))


@pytest.mark.parametrize("part", [PICTURE, LINKED, PAPER])
def test_text_models_refuse_pictures(part: Any) -> None:
    """A model known to read text only is not sent anything else; the line names it and the part."""
    for profile, model in ((ServiceProfile(text_only=True), "m"), (TEXT_MODELS, "text-1")):
        refused = request("chat", Message("user", ["x", part]), model=model, profile=profile)  # type: ignore[arg-type]
        with pytest.raises(ConfigurationError, match=f"service/{model} reads text only") as caught:
            check(refused)

        assert repr(part) in str(caught.value)


def test_text_models_take_text() -> None:
    """Text, and a text file, go anywhere; where nothing is known, everything is tried."""
    text = Message("user", ["x", NOTES])  # type: ignore[arg-type]
    picture = Message("user", ["x", PICTURE])  # type: ignore[arg-type]

    check(request("chat", text, Message("assistant"), profile=ServiceProfile(text_only=True)))
    check(request("chat", picture))
    check(request("chat", picture, profile=TEXT_MODELS))
