from __future__ import annotations

import time
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.redaction import Redactor, current, is_maskable
from allos.secret import Headers, Secret, seal_secrets

KEY = "opaque/0123456789abcdef+xyz"
NO_KEYS = Redactor([])


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-abcdefghij0123456789",
        "sk-ant-api03-abcdefghijklmnopqrstuvwxyz",
        "gsk_abcdefghij0123456789",
        "AIzaSyA0123456789abcdefghijklmnop",
        "xai-abcdefghij0123456789",
        "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
        "Bearer abc.def-0123456789",
        "bearer abcdefghijklmnopqrst",
        "Basic dXNlcjpwYXNzd29yZDE=",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "ghp_0123456789abcdefghij",
        "AKIA0123456789ABCDEF",
    ],
)
def test_lookalikes_are_masked_in_facts_alone(text: str) -> None:
    """What looks like a credential is no fact to show; in content it may be an example."""
    assert NO_KEYS.fact(f"id-{text}, more") == "id-***, more"
    assert NO_KEYS.content(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "chatcmpl-9f8a7b6c5d4e3f2a1b0c",
        "req_011CSHoEeqs5C35K2UUqR7Fy",
        "openai/gpt-oss-120b",
        "fp_44709d6fcb",
        "Bearer authentication required",
        "the token count of 128,000 tokens is exceeded",
        "task-0123456789abcdef",
        "no risk-assessment-model-2024 here",
        "https://api.example/v1?limit=100",
        "deepseek-ai/DeepSeek-V3.1",
        "toolu_01A09q90qw90lq917835lq9",
    ],
)
def test_ordinary_facts_stay(text: str) -> None:
    """Ids, names and sentences of services are not credentials."""
    assert NO_KEYS.fact(text) is text


def test_credentials_in_urls() -> None:
    """Of a URL only the secret parts are masked."""
    url = "see https://me:p4ss@host.example/a?b=1&api_key=0123456789&c=2"

    assert NO_KEYS.fact(url) == "see https://***@host.example/a?b=1&api_key=***&c=2"


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
def test_known_keys_in_other_forms(before: str) -> None:
    """A known key is found in base64 at any position, percent-encoded and escaped."""
    redactor = Redactor([KEY])
    raw = f"{before}{KEY}".encode()
    texts = [
        b64encode(raw).decode(),
        urlsafe_b64encode(raw).decode(),
        "opaque%2F0123456789abcdef%2Bxyz",
        "opaque\\/0123456789abcdef+xyz",
        KEY,
    ]
    for text in texts:
        assert "***" in redactor.content(text)
        assert len(redactor.content(text)) < 3 + 2 * len(before) + 6


def test_cut_key_in_a_fact() -> None:
    """The beginning or end of a known key is masked where a service has cut the rest."""
    assert Redactor([KEY]).fact(f"no such key: {KEY[:20]}…") == "no such key: ***…"
    assert Redactor([KEY]).fact(f"no such key: {KEY[:20]}") == "no such key: ***"
    assert Redactor([KEY]).fact(f"no such key: …{KEY[-20:]}.") == "no such key: …***."


@pytest.mark.parametrize("word", ["ollama", "lm-studio", "not-needed", "EMPTY", "placeholder"])
def test_placeholders_are_ordinary_words(word: str) -> None:
    """A key that a local server wants and does not check masks no model name."""
    assert not is_maskable(word)
    assert Redactor([word]).fact(f"{word}-community/model") == f"{word}-community/model"


def test_values_keep_their_shape() -> None:
    """Nested values are masked in place of their strings; without credentials they are the same object."""

    @dataclass(frozen=True, slots=True)
    class Part:
        text: str
        id: str

    redactor = Redactor([KEY])
    example = "sk-example-0123456789"
    value: dict[str, Any] = {
        "id": example,
        "text": example,
        "arguments": {"deep": [example, KEY]},
        "list": [1, None, (KEY,)],
        KEY: 1.5,
        "part": Part(example, example),
    }
    clean = {"id": "req_1", "usage": {"total_tokens": 3, "parts": [{"a": True}]}}

    assert redactor.value(value) == {
        "id": "***",
        "text": example,
        "arguments": {"deep": [example, "***"]},
        "list": [1, None, ("***",)],
        "***": 1.5,
        "part": Part(example, "***"),
    }
    assert redactor.value(clean) is clean
    assert value["id"] == example
    assert KEY not in repr(redactor)


@given(st.text(), st.text())
def test_a_key_is_masked_wherever_it_stands(before: str, after: str) -> None:
    """Whatever stands around a known key, it is gone and the rest of the content stays."""
    assert Redactor([KEY]).content(f"{before}{KEY}{after}").replace("***", "") == (
        f"{before}{after}".replace("***", "").replace(KEY, "")
    )
    assert KEY not in Redactor([KEY]).fact(f"{before}{KEY}{after}")


@pytest.mark.parametrize("piece", ["sk-", "Bearer ", "://a:", "eyJ", "?key=", "sk-a", "tgp_v1_"])
def test_hostile_text_costs_little(piece: str) -> None:
    """A text made to match almost everywhere is read in a time that follows its length."""
    text = (piece * 20_000)[:19_000]
    start = time.process_time()
    NO_KEYS.fact(text)

    assert time.process_time() - start < 0.5


def test_secrets_are_known_while_they_live() -> None:
    """The process masks what something still holds; equal secrets are one."""
    first, second = Secret("live-0123456789"), Secret("live-0123456789")
    del first
    assert current().content("live-0123456789") == "***"
    del second

    assert current().content("live-0123456789") == "live-0123456789"


def test_parts_of_a_header_are_known() -> None:
    """A header's value may be a scheme and a key, or cookies: each word is masked."""
    keywords: dict[str, Any] = {
        "headers": {"Cookie": "session=abcdef-123456; path=/", "X-Auth": "Custom 0987654321fedcba"}
    }
    seal_secrets(keywords)

    assert current().fact("abcdef-123456 and 0987654321fedcba") == "*** and ***"
    assert isinstance(keywords["headers"], Headers)
