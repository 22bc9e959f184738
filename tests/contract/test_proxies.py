"""Calls through proxies, on every API, complete and streamed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from allos import errors
from allos.engine import runtime
from tests.contract.conftest import Ask, Make
from tests.support.fake_server import FakeServer
from tests.support.proxies import Proxy

URL = "http://models.invalid/v1"
needs_socksio = pytest.mark.skipif(
    find_spec("socksio") is None, reason="needs the package socksio, see the extra [socks]"
)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Only the variables of the test; and no client that an earlier test has made."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    yield
    runtime.shutdown()


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_http_proxy(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """An HTTP proxy is used under each of its names, with user name and password."""
    with Proxy(server.port, user="me:word") as proxy:
        monkeypatch.setenv(variable, f"http://me:word@127.0.0.1:{proxy.port}")
        provider = make(base_url=URL)

        assert ask(provider).content == "Hello"
        provider.close()
    assert proxy.targets[0].startswith(URL)


@needs_socksio
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
def test_socks_proxy(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A SOCKS proxy is used, and gets the host's name, with user name and password."""
    with Proxy(server.port, user="me:word") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:word@127.0.0.1:{proxy.port}")
        provider = make(base_url=URL)

        assert ask(provider).content == "Hello"
        provider.close()
    assert proxy.targets == ["models.invalid:80"]


def test_loopback_goes_around(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server on this machine is reached without a proxy, usable or not."""
    monkeypatch.setenv("ALL_PROXY", "socks4://me:secret@127.0.0.1:1")

    assert ask(make()).content == "Hello"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("socks4://me:secret@127.0.0.1:1", "SOCKS 4"),
        ("gopher://me:secret@127.0.0.1:1", "does not name a proxy"),
        ("http://me:secret@127.0.0.1:port", "does not name a proxy"),
    ],
)
def test_unusable_proxy(
    make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    """A proxy that cannot be used is one line that names the variable; nothing is sent."""
    monkeypatch.setenv("ALL_PROXY", value)
    with pytest.raises(errors.ConfigurationError) as caught:
        ask(make(base_url=URL))
    line = str(caught.value)

    assert line.startswith("ALL_PROXY ")
    assert words in line
    assert "secret" not in line


@pytest.mark.parametrize("scheme", ["http", pytest.param("socks5", marks=needs_socksio)])
def test_proxy_that_is_not_there(
    make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """A proxy that cannot be reached is told apart from the service."""
    with Proxy(1) as proxy:
        port = proxy.port
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://me:secret@127.0.0.1:{port}")
    with pytest.raises(errors.ProviderConnectionError) as caught:
        ask(make(base_url=URL, max_attempts=2))
    line = str(caught.value)

    assert f"the proxy {scheme}://127.0.0.1:{port} (ALL_PROXY) could not be reached" in line
    assert "secret" not in line


@pytest.mark.parametrize("wrong", ["http://127.0.0.1:{port}", "http://models.invalid:1", ""])
def test_corrected_proxy_is_used_at_once(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """After a failure the variable is read again: no restart, and no new provider."""
    with Proxy(1) as gone:
        monkeypatch.setenv("ALL_PROXY", wrong.format(port=gone.port))
    provider = make(base_url=URL, max_attempts=1)
    with pytest.raises(errors.ProviderConnectionError):
        ask(provider)
    with Proxy(server.port) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")

        assert ask(provider).content == "Hello"
        provider.close()


@pytest.mark.parametrize("url", [URL, "https://models.invalid/v1"])
def test_proxy_that_wants_a_password(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """A missing password is asked for by the name of the variable, once."""
    with Proxy(server.port, user="me:word") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"http://me:secret@127.0.0.1:{proxy.port}")
        provider = make(base_url=url)
        with pytest.raises(errors.ProviderConnectionError) as caught:
            ask(provider)
        provider.close()
    line = str(caught.value)

    assert "asks for a user name and password (407): set ALL_PROXY" in line
    assert "secret" not in line
    assert len(proxy.targets) == 1


def test_proxy_that_refuses_a_host(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that the proxy does not allow is told as that."""
    with Proxy(server.port, status=403) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        provider = make(base_url="https://models.invalid/v1")
        with pytest.raises(errors.ProviderConnectionError, match=r"refused the connection \(403\)"):
            ask(provider)
        provider.close()

    assert proxy.targets == ["models.invalid:443"]


@needs_socksio
def test_socks_proxy_with_a_wrong_password(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SOCKS proxy's refusal is one line without the password."""
    with Proxy(server.port, user="me:word") as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5://me:secret@127.0.0.1:{proxy.port}")
        with pytest.raises(errors.ProviderConnectionError) as caught:
            ask(make(base_url=URL, max_attempts=1))
        assert proxy.hung_up.wait(10)  # before the proxy does, and not when garbage is collected
    line = str(caught.value)

    assert "ALL_PROXY" in line
    assert "secret" not in line


@needs_socksio
def test_socks_proxy_that_never_answers(
    server: FakeServer, make: Make, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is given up closes the connection that the proxy has not opened."""
    with Proxy(server.port, silent=True) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{proxy.port}")
        with pytest.raises(errors.ProviderTimeoutError):
            ask(make(base_url=URL, max_attempts=1, timeout_s=0.5))
        assert proxy.hung_up.wait(10)
