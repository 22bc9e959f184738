"""Which addresses may become links."""

from __future__ import annotations

import pytest

from allos.render.links import claimed_host, host_of, is_safe_link


@pytest.mark.parametrize(
    "url",
    [
        "https://pandas.pydata.org",
        "HTTP://localhost:8888/lab?a=1#b",
        "https://[::1]:8080/",
        "https://xn--bcher-kva.example/%20x",
        "https://en.wikipedia.org/wiki/A_(b)",
        "https://a.example/path/@user",
        "https://a.example/?q=javascript:x&copy=1",
        "mailto:someone@mail.example?subject=Hi",
    ],
)
def test_named_web_and_mail_addresses_are_links(url: str) -> None:
    """A web page on a named host and a mail address may be clicked."""
    assert is_safe_link(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "java\tscript:alert(1)",
        "&#106;avascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://a.example",
        "/api/contents",
        "api",
        "#top",
        "?token",
        "//a.example",
        "http:api",
        "http:/api",
        "http:///api",
        "https:\\\\a.example",
        "https://",
        "https://?x",
        "https://a.example@b.example",
        "https://a.example:b@c.example",
        "https://a.example\\@b.example",
        "https://ev%69l.example",
        "https://é.example",
        "https://a.example/ b",
        "https://a.example/\u202e",
        "https://a.example/" + "a" * 2_000,
        "mailto:",
        "mailto:x",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    """Scripts, data, files, the notebook's own server, two-faced hosts and endless addresses."""
    assert not is_safe_link(url)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://www.bank.example/login?x", "bank.example"),
        (" bank.com ", "bank.com"),
        ("www.bank.example", "bank.example"),
        ("a@bank.com", "bank.com"),
        ("df.dropna", ""),
        ("setup.py", ""),
        ("see bank.com for more", ""),
        ("", ""),
        ("a." * 5_000, ""),
    ],
)
def test_text_that_reads_as_an_address(text: str, host: str) -> None:
    """Addresses claim a host; words and names of programs do not."""
    assert claimed_host(text) == host


def test_host_of() -> None:
    """The host without `www.`, as it is compared and shown."""
    assert host_of("https://WWW.Bank.example:8080/a") == "bank.example:8080"
    assert host_of("mailto:a@mail.example?x=1") == "mail.example"
    assert host_of("nonsense") == ""
