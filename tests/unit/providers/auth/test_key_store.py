"""API keys that a user sets: where they are stored, and where they are never sent."""

from __future__ import annotations

import getpass
import importlib.util
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import allos
from allos.errors import ConfigurationError, MissingKeyError
from allos.providers import ProviderRegistry
from allos.providers.auth import key_store
from allos.providers.catalog.services import find
from allos.secret import Secret, seal_secrets
from allos.session import current_session
from tests.support.own_keyring import BrokenKeyring, FileKeyring

KEY = "gsk-of-this-test-0815"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key is set, and nothing is cached."""
    monkeypatch.setattr(current_session(), "keys", {})
    monkeypatch.setattr(key_store, "_keyring_cache", {})
    monkeypatch.setattr(key_store, "_warned_about_keyring", False)


def _use(backend: Any) -> Iterator[Any]:
    import keyring

    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A real keyring, kept in a file."""
    monkeypatch.setenv("OWN_KEYRING", str(tmp_path / "ring.json"))
    monkeypatch.setattr(FileKeyring, "lookups", [])
    yield from _use(FileKeyring())


@pytest.fixture
def broken() -> Iterator[Any]:
    """A keyring that fails at everything."""
    yield from _use(BrokenKeyring())


def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what this process remembers, as a new one would."""
    monkeypatch.setattr(current_session(), "keys", {})
    monkeypatch.setattr(key_store, "_keyring_cache", {})


def source(name: str = "groq", **options: Any) -> str:
    return ProviderRegistry.get_provider(name, model="m", **options)._route.endpoint.key_source


# ---- order ------------------------------------------------------------------------------------


def test_order_of_the_places(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argument, environment, this process, keyring: the first that has the key gives it."""
    import keyring

    keyring.set_password("allos", "groq", "gsk-in-the-ring")
    assert source() == "keyring"

    allos.set_key("groq", KEY, remember=False)
    assert source() == "process"

    monkeypatch.setenv("GROQ_API_KEY", "gsk-in-the-environment")
    assert source() == "GROQ_API_KEY"
    assert source(api_key="gsk-passed") == "argument"


def test_set_key_is_stored_in_the_keyring(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that was set is there in the next process, under the service name "allos"."""
    info = allos.set_key("groq", KEY)
    _new_process(monkeypatch)

    assert repr(info) == "'groq': the key is set for this process and stored in the keyring."
    assert own.get_password("allos", "groq") == KEY
    assert source() == "keyring"


def test_forget_removes_it_everywhere(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`forget_key` takes the key out of the process and the keyring, and says what is still there."""
    allos.set_key("groq", KEY)
    message = allos.forget_key("groq").message
    monkeypatch.setenv("GROQ_API_KEY", "gsk-in-the-environment")
    again = allos.forget_key("groq").message

    assert message == "'groq': the key is deleted from this process and the keyring."
    assert again == ("'groq': no key was stored. GROQ_API_KEY is still set in the environment.")
    assert own.get_password("allos", "groq") is None
    monkeypatch.delenv("GROQ_API_KEY")
    with pytest.raises(MissingKeyError):
        source()


def test_session_keys_stay_out_of_the_keyring(own: Any) -> None:
    """`remember=False` keeps the key for the process alone."""
    info = allos.set_key("groq", KEY, remember=False)

    assert "keyring" not in info.message
    assert own.get_password("allos", "groq") is None


def test_environment_takes_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting a key that the environment overrides says so."""
    monkeypatch.setenv("GROQ_API_KEY", "gsk-in-the-environment")
    info = allos.set_key("groq", KEY, remember=False)

    assert info.message.endswith("GROQ_API_KEY in the environment takes precedence.")
    assert info.source == "GROQ_API_KEY"


# ---- hosts ------------------------------------------------------------------------------------


def test_a_key_that_was_set_stays_with_its_host(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither base_url= nor <NAME>_BASE_URL takes a key that was set for the service's own host."""
    allos.set_key("groq", KEY)
    own.lookups.clear()  # set_key reads it back
    with pytest.raises(MissingKeyError):
        source(base_url="https://other.example/v1")

    monkeypatch.setenv("GROQ_BASE_URL", "https://other.example/v1")
    with pytest.raises(MissingKeyError):
        source()
    assert own.lookups
    assert set(own.lookups) == {"allos/groq@https://other.example"}


def test_a_key_for_another_host_is_found_there_alone(own: Any) -> None:
    """A key that was set with base_url= goes to that host and port, whatever the path, only."""
    allos.set_key("openai", KEY, base_url="https://proxy.example:8443/v1")

    assert source("openai", base_url="https://proxy.example:8443/other/v1") == "process"
    for url in ("https://proxy.example/v1", "http://proxy.example:8443/v1"):
        with pytest.raises(MissingKeyError):
            source("openai", base_url=url)
    with pytest.raises(MissingKeyError):
        source("openai")


def test_host_filled_in_from_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row whose host is a variable: the key stays with the host that the variable held then."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com")
    info = allos.set_key("azure", KEY, remember=False)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://other.example")

    assert info.account == "azure@https://mine.openai.azure.com"
    with pytest.raises(MissingKeyError):
        source("azure")


def test_generic_provider_needs_a_base_url() -> None:
    """A key for no host in particular is not kept."""
    with pytest.raises(ConfigurationError, match="needs a base URL"):
        allos.set_key("chat_completions", KEY)


def test_embedded_model_needs_no_key() -> None:
    """The embedded model needs no key and says so."""
    with pytest.raises(ConfigurationError, match="needs no key"):
        allos.set_key("local", KEY)


# ---- the keyring ------------------------------------------------------------------------------


def test_keyring_is_not_queried_for_a_key_from_another_source(
    own: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key in the environment, or none needed, and the keyring is left alone."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    source()
    source(api_key="gsk-passed")
    source("ollama")

    assert own.lookups == []


def test_keyring_is_queried_once_for_each_account(own: Any) -> None:
    """Every cell builds a provider; only the first one queries the keyring."""
    for _ in range(3):
        with pytest.raises(MissingKeyError):
            source()

    assert own.lookups == ["allos/groq"]


@pytest.mark.process
def test_keyring_is_never_imported_by_an_import() -> None:
    """The package is imported when no other source has a key, not before."""
    code = (
        "import sys, os, allos\n"
        "from allos.providers import ProviderRegistry\n"
        "os.environ['GROQ_API_KEY'] = 'k'\n"
        "ProviderRegistry.get_provider('groq', model='m')\n"
        "print('keyring' in sys.modules)\n"
        "try: ProviderRegistry.get_provider('openai', model='m')\n"
        "except allos.ConfigurationError: pass\n"
        "print('keyring' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.split() == ["False", "True"]


def test_broken_keyring_is_one_warning(broken: Any) -> None:
    """A keyring that fails warns once, without its words, and the missing key is the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for name in ("groq", "openai"):
            with pytest.raises(MissingKeyError):
                source(name)
        assert source("vllm") == "placeholder"

    assert [str(w.message) for w in caught] == [
        "The keyring is not available (OSError); other sources of keys still work. "
        "Run %allos doctor for details."
    ]


def test_broken_keyring_does_not_keep_a_key_from_being_set(broken: Any) -> None:
    """Where the keyring fails, the key is set for this process, and the sentence says so."""
    info = allos.set_key("groq", KEY)

    assert info.message == (
        "'groq': the key is set for this process only: the keyring did not store it (OSError)."
    )
    assert source() == "process"


def test_null_keyring() -> None:
    """The empty backend of a machine without a keyring takes every key; the sentence says so."""
    from keyring.backends import null

    for _ in _use(null.Keyring()):
        info = allos.set_key("groq", KEY)

    assert info.message == (
        "'groq': the key is set for this process only: this machine has no keyring."
    )


def test_without_the_keyring_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package everything else works; a key that is to be remembered says it is not."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "keyring" else real(name)
    )
    info = allos.set_key("groq", KEY)
    for_now = allos.set_key("groq", KEY, remember=False)
    forgotten = allos.forget_key("groq")

    assert info.message == (
        "'groq': the key is set for this process only: the keyring "
        "package is not installed (pip install 'allos-jupyter[keyring]')."
    )
    assert for_now.message == "'groq': the key is set for this process."
    assert forgotten.message == "'groq': the key is deleted from this process."


def test_wrong_key_in_the_keyring_is_named(own: Any) -> None:
    """What cannot stand in a header is an error that says where it came from, not what it is."""
    own.set_password("allos", "groq", "two words-of-a-secret")
    with pytest.raises(
        ConfigurationError, match="The key in the keyring contains whitespace"
    ) as caught:
        source()

    assert "secret" not in str(caught.value)


# ---- asking -----------------------------------------------------------------------------------


@pytest.mark.process
def test_without_a_prompt_is_one_line() -> None:
    """Without a terminal the error says what to do instead; nothing is read from a pipe."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import allos\ntry: allos.set_key('groq')\n"
            "except allos.ConfigurationError as e: print(e)",
        ],
        input="gsk-from-a-pipe\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == (
        "Cannot prompt for the key of 'groq' here: set GROQ_API_KEY in the environment, "
        "or call allos.set_key('groq', value).\n"
    )
    assert done.stderr == ""


def test_prompt_of_the_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a value the notebook's own prompt asks; blanks around the key are cut off."""
    prompts: list[str] = []

    def kernel_getpass(prompt: str) -> str:
        prompts.append(prompt)
        return f"  {KEY}\n"

    monkeypatch.setattr(getpass, "getpass", kernel_getpass)
    allos.set_key("groq", remember=False)

    assert prompts == ["Type the key of groq (hidden): "]
    assert current_session().keys["groq"] == Secret(KEY)


@pytest.mark.parametrize("typed", ["", "   "])
def test_empty_answer_changes_nothing(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Pressing Enter sets no key and says so."""
    monkeypatch.setattr(getpass, "getpass", lambda prompt: typed)
    with pytest.raises(ConfigurationError, match="nothing was changed"):
        allos.set_key("groq")

    assert current_session().keys == {}


# ---- nothing shows ----------------------------------------------------------------------------


def test_key_is_in_no_repr_and_no_pickle() -> None:
    """What `set_key` returns, the provider, and the seal_secrets options never show the key."""
    info = allos.set_key("groq", KEY, remember=False)
    provider = ProviderRegistry.get_provider("groq", model="m")
    options: dict[str, Any] = {"api_key": KEY, "headers": {"x-key": KEY}}
    seal_secrets(options)
    shown = [
        repr(info),
        repr(provider),
        repr(provider._route.endpoint),
        repr(options),
        str(vars(provider)),
    ]

    assert not [text for text in shown if KEY in text]
    assert KEY.encode() not in pickle.dumps(info)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(provider._route.endpoint)


def test_environment_shows_a_number_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives a variable to who asks by name, and shows how many there are to all others."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    env = key_store.Environment()

    assert env["GROQ_API_KEY"] == env.get("GROQ_API_KEY") == KEY
    assert "GROQ_API_KEY" in list(env)
    assert repr(env) == f"<{len(env)} variables, not shown>"


def test_source_of(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`where` tells the place and never raises."""
    assert key_store.source_of(find("groq")) is None
    assert key_store.source_of(find("local")) is None
    assert key_store.source_of(find("azure")) is None
    own.set_password("allos", "mistral", KEY)
    assert key_store.source_of(find("mistral")) == "keyring"
    monkeypatch.setenv("GROQ_BASE_URL", "no address")
    assert key_store.source_of(find("groq")) is None


def test_is_set(own: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment or the keyring is set; a service without keys has none to set."""
    assert key_store.is_set(find("ollama")) is None
    assert key_store.is_set(find("groq")) is False
    allos.set_key("groq", KEY)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    assert (key_store.is_set(find("groq")), key_store.is_set(find("azure"))) == (True, True)


def test_backend_names_the_keyring(own: Any) -> None:
    """Which keyring is in use, and what is wrong where there is none."""
    import keyring
    from keyring.backends import fail

    name, fault = key_store.keyring_backend()
    keyring.set_keyring(fail.Keyring())

    assert (name, fault) == (own.name, None)
    assert key_store.keyring_backend() == (None, "no usable keyring backend was found")
