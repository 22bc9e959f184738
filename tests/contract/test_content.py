"""Images and files arrive on every API, whole and streamed."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.parts import File, Image
from allos.profiles import Api
from allos.providers import Message, MessageRole, Provider, ProviderRegistry
from allos.response import ProviderResponse
from tests.contract.conftest import Ask, Make
from tests.support.fake_server import FakeServer
from tests.support.pictures import PDF, PNG


def arrived(server: FakeServer, turn: int = -1) -> Any:
    body = server.requests[-1].body
    return (body.get("messages") or body["input"])[turn]["content"]


def bytes_of(block: dict[str, Any]) -> bytes:
    """Bytes that a block holds, on any API."""
    source = block.get("source") or {}
    file = block.get("file") or {}
    url = block.get("image_url")
    text = (
        source.get("data")
        or file.get("file_data")
        or block.get("file_data")
        or (url["url"] if isinstance(url, dict) else url)
    )
    return base64.b64decode(text.rpartition(",")[2])


def test_image_and_file_arrive(
    server: FakeServer, provider: Provider, ask: Ask, tmp_path: Path
) -> None:
    """The server gets the texts and the very bytes, in order."""
    path = tmp_path / "chart.png"
    path.write_bytes(PNG)
    prompt = ["What is on it?", Image(path=path), "And in it?", File(data=PDF, name="p.pdf")]
    response = ask(provider, prompt)
    blocks = arrived(server)

    assert response.ok
    assert [block.get("text") for block in blocks] == ["What is on it?", None, "And in it?", None]
    assert [bytes_of(blocks[1]), bytes_of(blocks[3])] == [PNG, PDF]
    assert response.request is not None
    assert response.request.prompt == "What is on it?\nAnd in it?"


def test_address_arrives(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """An image named by its address goes out by its address; nothing is fetched here."""
    ask(provider, ["Look", Image(url="https://x.invalid/cat.jpg")])

    assert "https://x.invalid/cat.jpg" in str(arrived(server)[1])


def test_conversation_with_an_image(server: FakeServer, provider: Provider, ask: Ask) -> None:
    """A later turn takes the image along."""
    turns = [Message(MessageRole.USER, ["What is it?", Image(data=PNG)])]
    turns.append(ask(provider, turns).to_message())
    turns.append(Message(MessageRole.USER, "Are you sure?"))
    ask(provider, turns)

    assert bytes_of(arrived(server, 0)[1]) == PNG
    assert arrived(server) == "Are you sure?"


def test_detail_is_warned_of_where_it_is_lost(
    server: FakeServer, provider: Provider, api: Api
) -> None:
    """`detail` arrives where the API has it; otherwise one warning says that it was left out."""
    prompt = ["Look", Image(data=PNG, detail="low")]
    if api == "messages":
        with pytest.warns(UserWarning, match="'detail'"):
            provider.chat(prompt)
    else:
        provider.chat(prompt)

    assert ("low" in str(arrived(server))) is (api != "messages")


@pytest.mark.parametrize(
    ("name", "model"),
    [("sambanova", "Meta-Llama-3.3-70B-Instruct"), ("moonshot", "moonshot-v1-8k")],
)
def test_text_models_send_nothing(server: FakeServer, name: str, model: str, ask: Ask) -> None:
    """Rows that know their model to read text only refuse before anything is sent."""
    provider = ProviderRegistry.get_provider(
        name, model=model, base_url=server.base_url, api_key="sk-of-the-test"
    )
    with pytest.raises(ConfigurationError, match=rf"{name}/{model} reads text only.*Image\(png"):
        ask(provider, ["What is it?", Image(data=PNG)])

    assert server.requests == []
    assert ask(provider, ["What", "is it?"]).ok
    assert arrived(server) == "What\nis it?"


def test_same_picture_has_one_hash(
    server: FakeServer, make: Make, observed: list[ProviderResponse], tmp_path: Path
) -> None:
    """A recorded answer is found by what the picture shows, not by where it lay."""
    (tmp_path / "a.png").write_bytes(PNG)
    make().chat(["What is it?", Image(path=tmp_path / "a.png")])
    make().chat(["What is it?", Image(data=PNG)])
    make().chat(["What is it?", Image(data=PNG + b"\0")])
    hashes = [r.request.request_hash for r in observed if r.request]

    assert hashes[0] == hashes[1] != hashes[2]
