from __future__ import annotations

import pytest

from allos.providers.auth import environment_secrets
from allos.redaction import current


@pytest.mark.parametrize(
    ("name", "value", "secrets"),
    [
        ("GROQ_API_KEY", " gsk_0123456789 ", ["gsk_0123456789"]),
        ("MY_OWN_API_KEY", "own-0123456789", ["own-0123456789"]),
        ("HF_TOKEN", "tok-0123456789", ["tok-0123456789"]),
        ("OPENAI_ADMIN_KEY", "adm-0123456789", ["adm-0123456789"]),
        ("ANTHROPIC_CUSTOM_HEADERS", "X-A: hd-0123456789\nX-B: b", ["hd-0123456789"]),
        ("https_proxy", "http://me:pass%2F0123@proxy:3128", ["pass/0123", "pass%2F0123"]),
        ("ALL_PROXY", "me:word-0123@proxy:1", ["word-0123", "bWU6d29yZC0wMTIz"]),
    ],
)
def test_credentials_of_the_environment_are_known(
    name: str, value: str, secrets: list[str]
) -> None:
    """Keys of all services, whatever is named like one, and passwords of proxies, also as sent."""
    environment_secrets.refresh({name: value})
    assert [current().content(secret) for secret in secrets] == ["***"] * len(secrets)
    environment_secrets.refresh({})

    assert [current().content(secret) for secret in secrets] == secrets


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME", "/home/somebody-0123"),
        ("SECRET_SANTA", "development-0123"),
        ("GROQ_API_KEY", "placeholder"),
        ("https_proxy", "http://proxy.example:3128"),
        ("https_proxy", "http://[proxy"),
    ],
)
def test_anything_else_is_not(name: str, value: str) -> None:
    """Other variables, ordinary words, and proxies without a password mask nothing."""
    environment_secrets.refresh({name: value})
    try:
        assert current().content(value) == value
    finally:
        environment_secrets.refresh({})
