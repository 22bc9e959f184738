"""Which key and headers reach which host, end to end."""

from __future__ import annotations

import asyncio
import copy
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
from allos.errors import (
    ConfigurationError,
    InvalidResponseError,
    MissingKeyError,
    ProviderError,
)
from allos.profiles import Api
from allos.providers import ProviderRegistry
from allos.secret import Secret
from tests.contract.conftest import KEY, Ask, Make
from tests.support.fake_server import FakeServer, Fault, Seen

SECRETS = {
    "OPENAI_API_KEY": "sk-openai-secret",
    "OPENAI_ADMIN_KEY": "sk-admin-secret",
    "OPENAI_ORG_ID": "org-secret",
    "OPENAI_PROJECT_ID": "proj-secret",
    "OPENAI_CUSTOM_HEADERS": "X-Corp: corp-secret\nauthorization: Bearer custom-secret",
    "ANTHROPIC_API_KEY": "sk-anthropic-secret",
    "ANTHROPIC_AUTH_TOKEN": "token-secret",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Corp: corp-secret\nAuthorization: Bearer custom-secret",
    "GROQ_API_KEY": "sk-groq-secret",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """All keys and headers of the world are set."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def sent(server: FakeServer, name: str, **options: Any) -> Seen:
    ProviderRegistry.get_provider(name, model="m", **options).chat("Hi")
    return server.requests[-1]


def all_of(seen: Seen) -> str:
    return f"{seen.path} {seen.headers} {seen.raw!r}"


def test_openai_at_a_local_base_url_needs_no_key(server: FakeServer) -> None:
    """The guide's last provider: `openai` with a local address and no key sends a placeholder."""
    seen = sent(server, "openai", base_url=server.base_url)

    assert seen.path == "/v1/chat/completions"
    assert seen.key == "not-needed"


@pytest.mark.parametrize(
    ("name", "api"),
    [
        ("openai", "chat"),
        ("openai", "responses"),
        ("anthropic", "messages"),
        ("groq", "chat"),
        ("chat_completions", "chat"),
        ("chat_completions", "messages"),
        ("chat_completions", "responses"),
        ("ollama", "chat"),
    ],
)
@pytest.mark.parametrize("key", [None, "sk-passed-key"])
@pytest.mark.usefixtures("world")
def test_nothing_of_a_vendor_reaches_a_foreign_host(
    server: FakeServer, name: str, api: Api, key: str | None
) -> None:
    """Another host gets the key that was passed for it, or none, and no header of a vendor."""
    seen = sent(server, name, base_url=server.base_url, api=api, api_key=key)

    assert "secret" not in all_of(seen)
    assert seen.key == (key or "not-needed")
    assert "openai-organization" not in seen.headers
    assert "openai-project" not in seen.headers
    assert "x-corp" not in seen.headers


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("openai", ("anthropic", "groq", "admin")),
        ("anthropic", ("openai", "groq", "admin", "org-", "token-")),
        ("groq", ("openai", "anthropic", "admin", "org-", "corp-", "custom-")),
    ],
)
def test_own_host_gets_own_key(
    server: FakeServer, world: pytest.MonkeyPatch, name: str, others: tuple[str, ...]
) -> None:
    """The host of `<NAME>_BASE_URL` is the service's own: its key goes there, no other does."""
    for variable in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        world.setenv(variable, "X-Corp: corp-secret")
    world.setenv(f"{name.upper()}_BASE_URL", server.base_url)
    seen = sent(server, name)

    assert seen.key == f"sk-{name}-secret"
    assert not [other for other in others if f"{other}secret" in all_of(seen)]
    assert not [other for other in others if f"sk-{other}-secret" in all_of(seen)]
    if name == "openai":
        assert seen.headers["openai-organization"] == "org-secret"
        assert seen.headers["openai-project"] == "proj-secret"
    assert ("x-corp" in seen.headers) is (name != "groq")


@pytest.mark.usefixtures("world")
def test_own_headers_win(server: FakeServer) -> None:
    """Headers of the caller go along, and may replace how the key is sent."""
    seen = sent(
        server,
        "anthropic",
        base_url=server.base_url,
        headers={"x-api-key": "mine", "authorization": "Custom mine", "x-team": "red"},
    )

    assert seen.headers["x-api-key"] == "mine"
    assert seen.headers["authorization"] == "Custom mine"
    assert seen.headers["x-team"] == "red"


def test_missing_key_raises_at_construction(world: pytest.MonkeyPatch) -> None:
    """Without its own key a service is not built, whatever other keys there are."""
    world.delenv("GROQ_API_KEY")
    with pytest.raises(MissingKeyError, match="GROQ_API_KEY"):
        ProviderRegistry.get_provider("groq", model="m")


@pytest.mark.parametrize("face", ["repr", "str", "vars"])
def test_key_does_not_show(server: FakeServer, face: str) -> None:
    """A provider shows its name and model, never its key."""
    provider = ProviderRegistry.get_provider(
        "chat_completions", model="m", base_url=server.base_url, api_key="sk-hidden-key"
    )
    shown = {"repr": repr(provider), "str": str(provider), "vars": repr(vars(provider))}[face]

    assert "sk-hidden-key" not in shown


# ---- what a debugger's traceback, a pickle or a copy shows


def shown(exc: BaseException) -> str:
    """Everything that verbose tracebacks print: each frame's variables, and each cause."""
    text = traceback.TracebackException.from_exception(exc, capture_locals=True)
    return "".join(text.format())


def frames_below(exc: BaseException) -> str:
    """The same without the frame of the test itself, which holds what it passed."""
    assert exc.__traceback__ is not None
    return shown(exc.with_traceback(exc.__traceback__.tb_next))


def frames_of_ours(exc: BaseException) -> str:
    """The frames with their variables, without those of the test."""
    tb = exc.__traceback__
    while tb is not None and tb.tb_frame.f_code.co_filename == __file__:
        tb = tb.tb_next
    return shown(exc.with_traceback(tb))


@pytest.mark.usefixtures("world")
def test_environment_is_in_no_traceback(world: pytest.MonkeyPatch) -> None:
    """A missing key shows the variables of no other service, whoever prints the frames."""
    world.delenv("GROQ_API_KEY")
    with pytest.raises(MissingKeyError) as caught:
        ProviderRegistry.get_provider("groq", model="m")

    text = frames_below(caught.value)

    assert "get_provider" in text
    assert not [value for value in SECRETS.values() if value in text]


@pytest.mark.parametrize(
    "options",
    [
        {"temprature": 1},
        {"temperature": "hot"},
        {"base_url": "nowhere"},
        {"timeout_s": -1},
        {"api": "soap"},
    ],
)
def test_passed_key_is_in_no_frame_of_ours(options: dict[str, Any]) -> None:
    """A key and headers that were passed to a wrong call stand in the caller's own frame alone."""
    passed = {"api_key": "sk-passed-key", "headers": {"x-api-key": "sk-header-key"}}
    faces: list[Any] = [
        lambda: ProviderRegistry.get_provider("openai", model="m", **passed, **options),
        lambda: allos.ask("Hi", model="openai/m", **passed, **options),
        lambda: asyncio.run(allos.aask("Hi", model="openai/m", **passed, **options)),
    ]
    for face in faces:
        with pytest.raises(ConfigurationError) as caught:
            face()
        text = frames_of_ours(caught.value)

        assert "Secret(***)" in text
        assert "sk-passed" not in text
        assert "sk-header" not in text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"api_key": "sk-passed-key é"}, "non-ASCII"),
        ({"apikey": "sk-passed-key"}, "'apikey'"),
        ({"headers": "x-api-key: sk-passed-key"}, "headers must be a mapping"),
        ({"headers": [("x-api-key", "sk-passed-key")]}, "headers must be a mapping"),
        ({"base_url": "http://me:sk-passed-key@host/v1"}, "user name or password"),
        ({"base_url": "http://me:sk-pas/sed-key@host/v1"}, "base_url"),
        ({"base_url": "http://host/v1?sig=sk-passed-key"}, "query"),
    ],
)
def test_secret_of_a_refused_argument_is_in_no_frame_of_ours(
    wrong: dict[str, Any], words: str
) -> None:
    """What is wrong with an argument is said without its secret, in the frames as well."""
    passed: dict[str, Any] = {"api_key": "sk-own", **wrong}
    faces: list[Any] = [
        lambda: ProviderRegistry.get_provider("openai", model="m", **passed),
        lambda: allos.ask("Hi", model="openai/m", **passed),
    ]
    for face in faces:
        with pytest.raises(ConfigurationError, match=words) as caught:
            face()
        assert "sk-pas" not in frames_of_ours(caught.value)


@pytest.mark.parametrize("name", ["api_key", "headers", "apikey"])
def test_secret_passed_to_a_call_is_in_no_frame_of_ours(make: Make, name: str) -> None:
    """A key or headers that belong to the provider, not to its calls, do not show in their error."""
    provider = make()
    wrong: dict[str, Any] = {name: "sk-passed-key"}
    faces: list[Any] = [
        lambda: provider.chat("Hi", **wrong),
        lambda: asyncio.run(provider.achat("Hi", **wrong)),
        lambda: list(provider.stream("Hi", **wrong)),
        lambda: provider.preview("Hi", **wrong),
        lambda: allos.configure(**wrong),
    ]
    for face in faces:
        with pytest.raises(ConfigurationError, match=name) as caught:
            face()
        assert "sk-pas" not in frames_of_ours(caught.value)


ECHO = "you sent {key} and {header}"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 529])
def test_echoed_secrets(
    server: FakeServer, make: Make, ask: Ask, tmp_path: Path, status: int
) -> None:
    """A server that repeats key and headers gets them into no text, copy, pickle, frame or row."""
    secrets = {"key": KEY, "header": "hs-0123456789abcdef"}
    server.reply(
        Fault.status(status, body={"error": {"message": ECHO.format(**secrets), "code": KEY}})
    )
    provider = make(max_attempts=2, headers={"X-Api-Key": f"Basic {secrets['header']}"})
    allos.log.open(tmp_path / "log.sqlite")
    try:
        with pytest.raises(ProviderError) as caught:
            ask(provider)
        error = caught.value
        rows = allos.responses()
    finally:
        allos.log.close()
    copied = copy.deepcopy(error)
    places = [
        str(error),
        repr(error),
        repr(vars(error)),
        frames_below(error),
        str(pickle.dumps(error)),
        f"{copied} {vars(copied)}",
        rows.to_csv(),
        str(sqlite_bytes(tmp_path)),
    ]

    assert server.requests[0].headers["x-api-key"].endswith(secrets["header"])
    assert "you sent *** and ***" in str(error)
    assert len(rows) == 1
    for place in places:
        for secret in secrets.values():
            assert secret not in place
    assert type(copied) is type(error)
    assert (copied.status_code, copied.response.id) == (status, error.response.id)  # type: ignore[union-attr]


def sqlite_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("log.sqlite*"))


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect(server: FakeServer, make: Make, ask: Ask, code: int) -> None:
    """No redirect is followed, to the same host or another: the error names where it points."""
    with FakeServer() as target:
        for place in (f"{target.base_url}/x", f"{server.base_url}/other", "/other"):
            before = server.count
            server.script(Fault.redirect(place, code))
            with pytest.raises(InvalidResponseError, match="not followed") as caught:
                ask(make())

            assert caught.value.status_code == code
            assert server.count == before + 1
        assert target.connections_seen == 0


def test_header_credentials_are_secrets_in_every_object(server: FakeServer, make: Make) -> None:
    """No attribute of a provider, however deep, is a string with a credential of `headers=`."""
    value = "hs-0123456789abcdef"
    provider = make(headers={"X-Api-Key": value, "X-Gateway": f"Bearer {value}", "X-Team": "red"})
    provider.chat("Hi")

    assert server.requests[0].headers["x-gateway"] == f"Bearer {value}"
    assert server.requests[0].headers["x-team"] == "red"
    assert not [path for path, text in strings_in(provider) if value in text]


def strings_in(value: Any, path: str = "provider", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Every string in the attributes of an object and of those that it holds."""
    if isinstance(value, str):
        yield path, value
    elif depth < 8 and not isinstance(value, Secret | type):
        inner: list[tuple[Any, Any]] = []
        if isinstance(value, dict):
            inner = [*value.items()]
        elif isinstance(value, list | tuple | set):
            inner = [*enumerate(value)]
        elif type(value).__module__.startswith("allos"):
            names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
            inner = [(name, getattr(value, name, None)) for name in names if name != "__weakref__"]
        for name, each in inner:
            yield from strings_in(each, f"{path}.{name}", depth + 1)
