from __future__ import annotations

import pytest

from allos.errors import ConfigurationError
from allos.wire import proxies

NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("env", "url", "found"),
    [
        ({}, "https://a.example/v1", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://a.example/v1", ("HTTPS_PROXY", "http://p:1")),
        ({"https_proxy": "http://p:1"}, "https://a.example/v1", ("https_proxy", "http://p:1")),
        ({"HTTPS_PROXY": "http://p:1"}, "http://a.example/v1", None),
        ({"HTTP_PROXY": "p:1"}, "http://a.example/v1", ("HTTP_PROXY", "http://p:1")),
        ({"ALL_PROXY": "socks5://p:1"}, "https://a.example", ("ALL_PROXY", "socks5://p:1")),
        ({"all_proxy": "SOCKS5H://p:1"}, "http://a.example", ("all_proxy", "socks5h://p:1")),
        (
            {"ALL_PROXY": "socks5://p:1", "HTTPS_PROXY": "http://q:2"},
            "https://a.example",
            ("HTTPS_PROXY", "http://q:2"),
        ),
        ({"ALL_PROXY": ' "http://p:1" '}, "https://a.example", ("ALL_PROXY", "http://p:1")),
    ],
)
def test_which_variable_counts(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], url: str, found: tuple[str, str] | None
) -> None:
    """The variable of the URL's scheme goes before ALL_PROXY, in either case of letters."""
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    proxy = proxies.find(url)

    assert (proxy and (proxy.source, proxy.url)) == found


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("a.example", "https://a.example/v1", True),
        (".example", "https://a.example/v1", True),
        ("*.example", "https://a.example/v1", True),
        ("example", "https://a.example/v1", True),
        ("le.example, a.example", "https://a.example/v1", True),
        ("le", "https://a.example/v1", False),
        ("*", "https://a.example/v1", True),
        ("b.example,*", "https://a.example/v1", True),
        ("a.example:443", "https://a.example/v1", True),
        ("a.example:80", "https://a.example/v1", False),
        ("10.0.0.0/8", "http://10.2.3.4/v1", True),
        ("10.0.0.0/8", "http://11.2.3.4/v1", False),
        ("10.2.3.4", "http://10.2.3.4:8000/v1", True),
        ("[fe80::1]", "http://[fe80::1]:8000/v1", True),
        ("https://a.example", "https://a.example/v1", True),
        ("", "https://a.example/v1", False),
        (" , ,", "https://a.example/v1", False),
    ],
)
def test_exceptions(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, is_direct: bool
) -> None:
    """NO_PROXY names hosts, domains, networks and ports, or everything."""
    monkeypatch.setenv("ALL_PROXY", "http://p:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert (proxies.find(url) is None) is is_direct


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("socks4://me:secret@p:1080", "SOCKS 4 proxy (socks4://p:1080), which is not supported"),
        ("socks4a://p", "SOCKS 4"),
        ("ftp://me:secret@p:21", "does not name a proxy that can be used (ftp://p:21)"),
        ("http://me:secret@p:x", "a URL that is not valid"),
        ("http://me:secret@:80", "does not name a proxy"),
        ("http://p:99999", "a URL that is not valid"),
        ("me:secret@[", "a URL that is not valid"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    """A proxy that cannot be used is one line with the variable, and without the password."""
    monkeypatch.setenv("ALL_PROXY", value)
    proxy = proxies.find("https://a.example")
    assert proxy is not None
    with pytest.raises(ConfigurationError) as caught:
        proxy.check()
    line = str(caught.value)

    assert line.startswith("ALL_PROXY ")
    assert words in line
    assert "\n" not in line
    assert "secret" not in line + repr(proxy)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
def test_socks_takes_a_package(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """A SOCKS proxy is used where the package for it is there; else the line says which it is."""
    monkeypatch.setenv("all_proxy", f"{scheme}://p:1080")
    proxy = proxies.find("https://a.example")
    assert proxy is not None
    monkeypatch.setattr(proxies, "find_spec", lambda name: name)
    proxy.check()
    monkeypatch.setattr(proxies, "find_spec", lambda name: None)

    with pytest.raises(
        ConfigurationError, match=r"all_proxy .*pip install 'allos-jupyter\[socks\]'"
    ):
        proxy.check()
    assert proxy.transport_url.startswith("socks5")


def test_address_of_the_sixth_version_is_shown_in_brackets() -> None:
    """As it has to be written in the variable."""
    assert proxies.Proxy("ALL_PROXY", "http://me:pw@[::1]:8080").shown == "http://[::1]:8080"
