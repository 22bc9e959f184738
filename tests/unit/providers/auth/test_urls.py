from __future__ import annotations

import pytest

from allos.providers.auth.urls import display_url, is_loopback, origin


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("localhost.example", False),
        ("127.0.0.1.example", False),
        ("127.1", False),
        ("10.0.0.1", False),
        ("::2", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_is_loopback(name: str, expected: bool) -> None:
    """Only names and addresses that can mean nothing but this machine count."""
    assert is_loopback(name) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://box/v1", "https://box/v1"),
        ("https://me:pw@box:8/v1?a=b#c", "https://box:8/v1"),
        ("me:pw@box/v1", "box/v1"),
        ("https://me:p/w@box/v1", "https://(hidden)"),
        ("https://me:p?w@box/v1", "https://(hidden)"),
        ("https://me:p://w@box/v1", "https://(hidden)"),
        ("https://box/v1?mail=me@pw", "https://(hidden)"),
        ("", ""),
    ],
)
def test_display_url_holds_no_secret(url: str, expected: str) -> None:
    """What is shown or logged has no user name, password, query or fragment."""
    assert display_url(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.example/v1/", "https://api.example"),
        ("https://api.example:443", "https://api.example"),
        ("http://127.0.0.1:8000/v1", "http://localhost:8000"),
        ("http://[::1]:8000", "http://localhost:8000"),
        (" 'https://api.example/v1' ", "https://api.example"),
    ],
)
def test_origin(url: str, expected: str) -> None:
    """Spellings of one host are one; quotes and blanks around a URL are not part of it."""
    assert origin(url) == expected
