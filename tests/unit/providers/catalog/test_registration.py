from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from allos.errors import ConfigurationError
from allos.providers import Provider, ProviderRegistry, Service, register, unregister
from allos.providers.catalog import entry_points, services
from tests.support.fake_server import FakeServer


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """Remove what a test registers or loads."""
    yield
    for name in list(services._registered):
        unregister(name)
    entry_points._loaded.clear()


def row(name: str = "mine", **fields: Any) -> Service:
    return Service(**{"name": name, "base_url": "https://mine.example/v1", "api": "chat", **fields})


def test_row() -> None:
    """A registered row is a provider like any other, with its own variable for the address."""
    register(row(key_env=("MINE_API_KEY",), aliases=("my_own",)))
    provider = ProviderRegistry.get_provider("my_own", model="a/b", api_key="k")

    assert repr(provider) == "Provider('mine', model='a/b')"
    assert {"mine", "my_own"} <= set(ProviderRegistry.list_providers())
    assert services.find("mine").base_url_env == ("MINE_BASE_URL",)
    assert ProviderRegistry.get_env_var_name("mine") == "MINE_API_KEY"
    assert "mine" in [service.name for service in services.all_services()]


def test_class() -> None:
    """A subclass is built by its name, with keywords of its own; the row's fields are as in the file."""

    @register("mine", base_url="https://mine.example/v1", api="chat", profile={"think_tags": True})
    class Mine(Provider):
        def __init__(self, service: Service, *, team: str, **options: Any) -> None:
            super().__init__(service, headers={"x-team": team}, **options)

    made = ProviderRegistry.get_provider("mine", model="m", team="blue", api_key="k", temperature=1)

    assert type(made) is Mine
    assert services.find("mine").profile.think_tags
    with pytest.raises(ConfigurationError, match=r"'teem'.*Did you mean 'team'\?"):
        ProviderRegistry.get_provider("mine", model="m", teem="blue", api_key="k")


def test_function() -> None:
    """A function may build the provider; anything but a Provider is refused."""

    @register("mine", base_url="https://mine.example/v1", api="chat")
    def build(service: Service, **options: Any) -> Provider:
        return Provider(service, timeout_s=7, **options)

    @register("other", base_url="https://mine.example/v1", api="chat")
    def wrong(service: Service, **options: Any) -> int:
        return 3

    assert isinstance(ProviderRegistry.get_provider("mine", model="m", api_key="k"), Provider)
    with pytest.raises(ConfigurationError, match="'other' returned int, expected a Provider"):
        ProviderRegistry.get_provider("other", model="m", api_key="k")


def test_a_cell_may_run_again() -> None:
    """The module that registered a name may do so again; the newer row counts."""
    register(row(note="first"))
    register(row(note="second"))

    assert services.find("mine").note == "second"
    with pytest.raises(ConfigurationError, match=f"{__name__} has registered it"):
        services.add(row(), origin="another_module")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai", "allos has a built-in one"),
        ("ollama_compat", "allos has a built-in one"),
        ("github", "allos has a built-in one"),
        ("doctor", "it is a subcommand of %allos"),
        ("compare", "it is a subcommand of %allos"),
        ("My Own", "lower-case letters, digits and _"),
        ("a/b", "lower-case letters, digits and _"),
        ("", "lower-case letters, digits and _"),
    ],
)
def test_names_that_are_refused(name: str, expected: str) -> None:
    """No provider takes a sub-command's name, a built-in one's, or one that cannot be typed."""
    with pytest.raises(ConfigurationError, match=expected) as caught:
        register(row(name))
    with pytest.raises(ConfigurationError, match=expected):
        register(row(aliases=(name,)))

    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert services._registered == {}


def test_keys_of_others_are_refused() -> None:
    """A provider cannot have the key of a hosted service sent to its own address."""
    with pytest.raises(
        ConfigurationError, match=r"OPENAI_API_KEY: that is the API key of 'openai'"
    ):
        register(row(key_env=("MINE_API_KEY", "OPENAI_API_KEY")))
    with pytest.raises(ConfigurationError, match="cannot be embedded"):
        register(row(embedded=True))


def test_one_variable_needs_no_tuple(monkeypatch: pytest.MonkeyPatch) -> None:
    """`key_env="X"` is the variable X, not its letters."""
    monkeypatch.setenv("GATEWAY_API_KEY", "gw-key")
    row = {"name": "gateway", "base_url": "https://x.example/v1", "api": "chat"}
    made: Any = register(Service(**row, key_env="GATEWAY_API_KEY"))  # type: ignore[arg-type]

    assert made.key_env == ("GATEWAY_API_KEY",)
    assert ProviderRegistry.get_provider("gateway", model="m").name == "gateway"


def test_unknown_api_is_refused() -> None:
    """A service with an unknown API, or anything but a Service, is refused."""
    with pytest.raises(ConfigurationError, match="unknown api 'grpc'"):
        register(Service(name="gateway", base_url="https://x.example/v1", api="grpc"))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="register expects a Service or a name"):
        register(5)  # type: ignore[call-overload]


def test_wrong_field() -> None:
    """A field that does not exist is named."""
    with pytest.raises(ConfigurationError, match=r"'mine'.*base_uri"):
        register("mine", base_uri="https://mine.example/v1", api="chat")


def test_unknown_name_still_says_so() -> None:
    """Looking for packages with providers changes nothing about the error for a mistyped name."""
    register(row())
    with pytest.raises(
        ConfigurationError, match=r"Unknown provider 'minee'\. Did you mean 'mine'\?"
    ):
        services.find("minee")


def test_everything_takes_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions and comparisons reach a registered provider under its own address variable."""
    import allos

    monkeypatch.setenv("ALLOS_LOG", "off")
    with FakeServer("Hello") as server:
        register(row(key_env=("MINE_API_KEY",)))
        monkeypatch.setenv("MINE_BASE_URL", server.base_url)
        monkeypatch.setenv("MINE_API_KEY", "sk-mine")

        assert allos.ask("Hi", model="mine/a/b").content == "Hello"
        found = allos.compare("Hi", models=["mine/a", "mine/b"])
        found.wait(timeout_s=20)
        assert [response.content for response in found.responses] == ["Hello", "Hello"]
        assert [seen.model for seen in server.requests].count("a/b") == 1
        assert {seen.key for seen in server.requests} == {"sk-mine"}


# ---- packages ------------------------------------------------------------------------------------


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(folder: Path, package: str, module: str, text: str, **entries: str) -> None:
    """Lay out a package as an installer does."""
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "entry_points.txt").write_text(f"[allos.providers]\n{lines}")
    sys.modules.pop(module, None)


ROW = (
    "from allos.providers import Service\n"
    "ROW = Service(name={name!r}, base_url='https://x.example/v1', api='chat')\n"
)


def test_package_is_found_by_name(packages: Path) -> None:
    """A package is loaded when an unknown name is looked up, not before."""
    install(packages, "plug-one", "plug_one", ROW.format(name="one"), one="plug_one:ROW")

    assert services.find("groq").name == "groq"
    assert "plug_one" not in sys.modules
    assert services.find("one").base_url == "https://x.example/v1"
    assert "plug_one" in sys.modules


def test_package_is_found_by_listing(packages: Path) -> None:
    """Listing all providers loads the packages; one may bring several, also by registering them."""
    text = (
        "from allos.providers import Service, Provider, register\n"
        "MANY = [Service(name=n, base_url='https://x.example/v1', api='chat') for n in ('two', 'three')]\n"
        "@register('four', base_url='https://x.example/v1', api='chat')\n"
        "class Four(Provider): pass\n"
    )
    install(packages, "plug-many", "plug_many", text, two="plug_many:MANY", four="plug_many:Four")

    assert {"two", "three", "four"} <= set(ProviderRegistry.list_providers())
    assert type(ProviderRegistry.get_provider("four", model="m", api_key="k")).__name__ == "Four"


BROKEN = {
    "fails": (
        "raise RuntimeError('no such thing')",
        "broken_fails",
        r"RuntimeError: no such thing",
    ),
    "leaves": ("raise SystemExit(3)", "broken_leaves", r"SystemExit: 3"),
    "empty": ("X = 3", "broken_empty:X", r"must be a Service or register .*, got int"),
    "lacks": ("", "broken_lacks:ROW", r"AttributeError: .*ROW"),
    "mixed": ("X = [3]", "broken_mixed:X", r"must be a Service or register .*, got int"),
    "taken": (
        ROW.format(name="openai"),
        "broken_taken:ROW",
        r"'openai' cannot be the name of a provider: allos has a built-in one",
    ),
    "reserved": (
        ROW.format(name="log"),
        "broken_reserved:ROW",
        r"'log' cannot be the name of a provider: it is a subcommand",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_package(packages: Path, name: str) -> None:
    """A package that cannot be loaded is one warning that names it; the others work."""
    text, value, expected = BROKEN[name]
    install(packages, f"broken-{name}", f"broken_{name}", text, **{name: value})
    install(packages, "fine", "plug_fine", ROW.format(name="fine"), fine="plug_fine:ROW")
    begins = f"The provider {name!r} of the package 'broken-{name}' cannot be loaded: "
    with pytest.warns(UserWarning, match=f"^{begins}.*{expected}") as caught:
        assert services.find("fine").name == "fine"
    (warning,) = [str(each.message) for each in caught]

    assert "\n" not in warning
    with warnings.catch_warnings(record=True) as again:
        assert "fine" in ProviderRegistry.list_providers()
    assert again == []


def test_two_packages_with_one_name(packages: Path) -> None:
    """The first package keeps the name; the second causes a warning."""
    for package in ("a", "b"):
        install(
            packages,
            f"plug-{package}",
            f"plug_{package}",
            ROW.format(name="same"),
            same=f"plug_{package}:ROW",
        )
    with pytest.warns(
        UserWarning, match=r"'same' of the package 'plug-.' cannot be loaded.*has registered it"
    ):
        assert services.find("same").name == "same"
