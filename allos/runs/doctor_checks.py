"""The checks of `allos.doctor`, one function for each area; each is given whether to go online."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from allos.database_url import DatabaseURL
from allos.errors import AllosError, ConfigurationError, LogError
from allos.providers import ProviderRegistry
from allos.providers.auth import colab_secrets, endpoints, key_store
from allos.providers.auth.urls import display_url, is_loopback
from allos.providers.catalog import services
from allos.providers.catalog.service import Service
from allos.runs.finding import Finding
from allos.runs.jupyter_versions import faulty_versions

T = TypeVar("T")

_KEYRING_S = 0.5
"""Timeout for the keyring: a locked one blocks until the user unlocks it."""
_ONLINE_S = 5.0
_LARGE_LOG_BYTES = 200_000_000
"""In larger logs the rows are estimated instead of counted."""
_LITTLE_SPACE_BYTES = 200_000_000

_PACKAGES = (
    *("openai", "anthropic", "httpx2", "pandas", "ipython", "ipykernel", "ipywidgets"),
    *("anywidget", "genai-prices"),
)
_OPTIONAL = frozenset({"ipykernel"})


def keys_(online: bool) -> Iterator[Finding]:
    """Where each key is found, and which keyring is used."""
    env = key_store.Environment()
    keyring_state = _in_time(lambda: (_stored_keys(), key_store.keyring_backend()), _KEYRING_S)
    stored = keyring_state[0] if keyring_state is not None else {}
    found = False
    for service in _services():
        source: str | None = None
        try:
            endpoint = endpoints.resolve(service, env=env)
            if not endpoint.placeholder:
                source = endpoint.key_source
        except ConfigurationError as exc:
            if "The key in" in str(exc):
                yield Finding("keys", "problem", f"{service.name}: {exc}")
        source = source or stored.get(service.name)
        if source is not None:
            found = True
            yield Finding("keys", "ok", f"{service.name}: found in {_describe_source(source)}.")
        for name in service.key_env:
            if name in env and not env[name].strip():
                yield Finding(
                    "keys", "note", f"{name} is set, but empty.", "Unset it or set it to a key."
                )
    if colab_secrets.is_available():
        yield Finding("keys", "note", "Colab's secrets are read when a service is called.")
    if not found:
        yield Finding("keys", "note", "No API key was found.", "Set one with %allos key PROVIDER.")
    if keyring_state is None:
        yield Finding(
            "keys",
            "note",
            f"The keyring did not respond within {_KEYRING_S:g} s.",
            "Unlock it, or set the key as an environment variable.",
        )
        return
    ring, error = keyring_state[1]
    if ring is not None:
        yield Finding("keys", "ok", f"Keyring: {ring}.")
    else:
        message = f"No keyring: {error or 'the package is not installed'}."
        install = "" if error else " pip install 'allos-jupyter[keyring]' adds one."
        yield Finding(
            "keys",
            "note",
            message,
            f"Keys set with %allos key are lost when the process ends.{install}",
        )


def hosts(online: bool) -> Iterator[Finding]:
    """Base URLs of services; with `online`, whether they respond."""
    env = key_store.Environment()
    pending: dict[str, Future[Finding]] = {}
    for service in _services():
        named = next(
            (n for n in service.base_url_env + service.host_env if env.get(n, "").strip()), None
        )
        has_key = any(env.get(name, "").strip() for name in service.key_env)
        if named is None and not has_key and not key_store.find_cached_key(service, service.name):
            continue
        try:
            endpoint = endpoints.resolve(service, env=env, find_key=key_store.find_cached_key)
        except ConfigurationError as exc:
            if "No key for" not in str(exc):
                yield Finding("hosts", "problem", str(exc))
            continue
        url, why = display_url(endpoint.base_url), f" ({named})" if named else ""
        plain = url.startswith("http://") and not is_loopback(_host_name(url))
        if plain and not endpoint.placeholder:
            yield Finding(
                "hosts",
                "problem",
                f"{service.name}: {url}{why} is not encrypted, and the API key would be sent there.",
                "Use https.",
            )
        else:
            yield Finding("hosts", "note" if named else "ok", f"{service.name}: {url}{why}.")
        if online and service.list_models:
            pending[service.name] = _in_thread(lambda service=service: _check_service(service))  # type: ignore[misc]  # bound at once
    for name, future in pending.items():
        try:
            yield future.result(_ONLINE_S + 1)
        except TimeoutError:
            yield Finding("hosts", "problem", f"{name}: no response within {_ONLINE_S:g} s.")
    yield from _proxies()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if (value := env.get(name, "").strip()) and not os.path.exists(value):
            yield Finding(
                "hosts", "problem", f"{name} names {value!r}, which does not exist.", "Unset it."
            )


def _proxies() -> Iterator[Finding]:
    """Proxies that requests go through, and whether they can be used."""
    from allos.wire import proxies

    found = map(proxies.find, ("https://models.invalid", "http://models.invalid"))
    for proxy in {proxy.source: proxy for proxy in found if proxy is not None}.values():
        try:
            proxy.check()
        except ConfigurationError as exc:
            yield Finding("hosts", "problem", str(exc).removesuffix(" Nothing was sent."))
        else:
            yield Finding(
                "hosts", "note", f"Requests use the proxy {proxy.shown} ({proxy.source})."
            )


def log_(online: bool) -> Iterator[Finding]:
    """Path and size of the log, and whether it can be written."""
    import shutil
    import sqlite3

    from allos.log.log_file import VARIABLE, log_address, network_file_system
    from allos.log.store.sqlite_connection import has_wal_reset_bug
    from allos.session import current_session

    session = current_session()
    store = session.log.store
    path = store.address if store is not None else log_address(session.settings.get("log"))
    if isinstance(path, DatabaseURL):
        yield _team_log(path)
        return
    if path is None:
        yield Finding("log", "note", "The log is off.", f"Unset {VARIABLE} to log responses.")
        return
    if not path.exists():
        yield Finding("log", "ok", f"{path} will be created by the first call.")
    else:
        yield _log_file(path)
    folder = next(each for each in (path.parent, *path.parents) if each.exists())
    if not os.access(path if path.exists() else folder, os.W_OK):
        yield Finding(
            "log", "problem", f"{path} cannot be written.", f"Set {VARIABLE} to another file."
        )
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_SPACE_BYTES:
        yield Finding(
            "log",
            "problem",
            f"Only {_size(free)} of disk space are left for the log.",
            "Free disk space.",
        )
    if network := network_file_system(folder):
        yield Finding(
            "log",
            "note",
            f"The log is on a network file system ({network}): it must not be written from two computers.",
            f"Set {VARIABLE} to a local file.",
        )
    version = sqlite3.sqlite_version
    if has_wal_reset_bug(sqlite3.sqlite_version_info):
        yield Finding(
            "log",
            "note",
            f"SQLite {version} has a rare bug with several writers (fixed in 3.51.3); allos works "
            "around it.",
            "Do not write to the log with other programs.",
        )
    else:
        yield Finding("log", "ok", f"SQLite {version}.")


def _team_log(url: DatabaseURL) -> Finding:
    """Whether the team's database can be reached and written."""
    from allos.log.log_file import VARIABLE
    from allos.log.store.opening import open_store

    try:
        open_store(url).close()
    except LogError as exc:
        return Finding("log", "problem", f"{exc}.", f"Check the URL, or set {VARIABLE} to a file.")
    return Finding("log", "ok", f"The log is in the database {url}.")


def embedded_model(online: bool) -> Iterator[Finding]:
    """Whether the embedded model is installed; with `online`, whether it starts."""
    from allos.local.model_files import DEFAULT_MODEL, find_model, has_llama_cpp, install_command

    if not has_llama_cpp():
        yield Finding(
            "embedded model",
            "note",
            "llama.cpp (xllamacpp) is not installed.",
            f"Run: {install_command()}",
        )
        return
    try:
        path = find_model(DEFAULT_MODEL)
    except ConfigurationError as exc:
        yield Finding("embedded model", "note", str(exc))
        return
    yield Finding("embedded model", "ok", f"{DEFAULT_MODEL}: {path}, {_size(path.stat().st_size)}.")
    if online:
        from time import perf_counter

        from allos.local import serve

        started = perf_counter()
        try:
            serve(DEFAULT_MODEL)
        except AllosError as exc:
            yield Finding("embedded model", "problem", str(exc), f"Run: {install_command()}")
        else:
            took = perf_counter() - started
            yield Finding(
                "embedded model", "ok", f"Its server is running (started in {took:.1f} s)."
            )


def versions(online: bool) -> Iterator[Finding]:
    """Installed versions, incompatible ones, and another package with the same name."""
    from allos.version import __version__

    message = [f"Python {sys.version.split()[0]}", f"allos {__version__}"]
    for name in _PACKAGES:
        version = _version(name)
        if version is not None:
            message.append(f"{name} {version}")
        elif name not in _OPTIONAL:
            yield Finding("versions", "problem", f"{name} is not installed.", f"pip install {name}")
    yield Finding("versions", "ok", ", ".join(message) + ".")
    yield from _incompatible_packages()
    yield from _other_allos_packages()


def notebook(online: bool) -> Iterator[Finding]:
    """Where the code runs, and whether widgets work."""
    where = "a script or a terminal"
    if "ipykernel" in sys.modules:
        where = "a Jupyter kernel"
        for variable, name in (
            ("COLAB_RELEASE_TAG", "Colab"),
            ("VSCODE_PID", "VS Code"),
            ("JPY_SESSION_NAME", "Jupyter Server"),
        ):
            if os.environ.get(variable):
                where += f" ({name})"
                break
    if "marimo" in sys.modules:
        where = "marimo"
    yield Finding("notebook", "ok", f"Running in {where}.")
    if sys.platform == "emscripten":
        yield Finding(
            "notebook",
            "problem",
            "This Python runs in the browser, where threads are not supported: allos cannot work here.",
            "Use a kernel outside of the browser.",
        )
    if "COLAB_RELEASE_TAG" in os.environ:
        yield Finding(
            "notebook",
            "note",
            "On Colab a comparison blocks its cell, and shows a table instead of the live board.",
        )
    yield from faulty_versions()
    for name in ("anywidget", "ipywidgets"):
        if importlib.util.find_spec(name) is None:
            yield Finding(
                "notebook",
                "problem",
                f"{name} is not installed, so comparisons show no live board.",
                f"pip install {name}, and restart the kernel.",
            )


def settings(online: bool) -> Iterator[Finding]:
    """Default model, budget, and whether answers are replayed."""
    from allos.session import current_session

    session = current_session()

    model = session.model_name(None)
    known = session.settings.values()
    why = known["model"].source if "model" in known else "not configured"
    try:
        services.find(services.split_model_name(model).provider)
        yield Finding("settings", "ok", f"The default model is {model} ({why}).")
    except ConfigurationError as exc:
        yield Finding("settings", "problem", f"The default model ({why}): {exc}")
    for name, value in known.items():
        if name != "model":
            yield Finding("settings", "ok", f"{name} = {value.value} ({value.source}).")
    for each in session.budgets.in_force():
        yield Finding("settings", "ok", f"{str(each).strip('<>')}.")
    if not session.budgets.in_force():
        yield Finding("settings", "ok", "No budget is set.")
    if session.replay is not None:
        yield Finding(
            "settings", "note", "Recorded answers are replayed before a service is pending."
        )


ALL: tuple[Callable[[bool], Iterator[Finding]], ...] = (
    *(keys_, hosts, log_, embedded_model, versions, notebook, settings),
)


# ---- helpers --------------------------------------------------------------------------------------


def _services() -> list[Service]:
    return [each for each in services.all_services() if not each.embedded]


def _stored_keys() -> dict[str, str]:
    """Sources of keys that are not in the environment, by service."""
    return {s.name: source for s in _services() if (source := key_store.source_of(s)) is not None}


def _describe_source(source: str) -> str:
    words = {
        "process": "this process (%allos key)",
        "keyring": "the keyring",
        "colab": "Colab's secrets",
    }
    return words.get(source, source)


def _check_service(service: Service) -> Finding:
    try:
        provider = ProviderRegistry.get_provider(service.name, model="any", timeout_s=_ONLINE_S)
        count = len(provider.list_models())
    except AllosError as exc:
        return Finding("hosts", "problem", str(exc))
    return Finding("hosts", "ok", f"{service.name} responds and lists {count:,} models.")


def _log_file(path: Path) -> Finding:
    import sqlite3

    size = path.stat().st_size
    count = "count(*)" if size < _LARGE_LOG_BYTES else "max(seq)"
    try:
        db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.2)
        try:
            rows = db.execute(f"SELECT {count} FROM responses").fetchone()[0] or 0
        finally:
            db.close()
    except sqlite3.Error as exc:
        return Finding(
            "log",
            "problem",
            f"{path} cannot be read as a log: {exc}.",
            "Set ALLOS_LOG to another file.",
        )
    about = "" if count == "count(*)" else "about "
    return Finding("log", "ok", f"{path}: {about}{rows:,} rows, {_size(size)}.")


def _incompatible_packages() -> Iterator[Finding]:
    """Packages with a version that allos does not support."""
    try:
        from packaging.requirements import Requirement

        required = importlib.metadata.requires("allos-jupyter") or []
    except (ImportError, importlib.metadata.PackageNotFoundError):
        return
    for line in required:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        version = _version(wanted.name)
        if version is not None and not wanted.specifier.contains(version, prereleases=True):
            yield Finding(
                "versions",
                "problem",
                f"{wanted.name} {version} is installed, but allos requires {wanted.specifier}.",
                f"pip install '{wanted.name}{wanted.specifier}'",
            )


def _other_allos_packages() -> Iterator[Finding]:
    """Another package named allos: on PyPI the name belongs to a different project."""
    from allos import version

    own = os.path.realpath(os.path.dirname(version.__file__))
    seen = {own}
    for entry in sys.path:
        for file in (Path(entry or ".", "allos", "__init__.py"), Path(entry or ".", "allos.py")):
            location = os.path.realpath(file.parent if file.name == "__init__.py" else file)
            if location not in seen and file.is_file():
                seen.add(location)
                yield Finding(
                    "versions",
                    "problem",
                    f"Another allos was found in {location}; the one in use is {own}.",
                    "Move or rename it, and restart.",
                )
    if _version("allos") is not None:
        yield Finding(
            "versions",
            "problem",
            "The unrelated package 'allos' from PyPI is installed; its files may have overwritten "
            "those of allos-jupyter.",
            "pip uninstall allos, then pip install --force-reinstall allos-jupyter.",
        )


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _host_name(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or ""


def _size(size_bytes: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"


def _in_thread(work: Callable[[], T]) -> Future[T]:
    """Run something on its own thread, which may continue after a timeout."""
    import threading

    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as exc:  # noqa: BLE001 - raised by future.result
            future.set_exception(exc)

    threading.Thread(target=run, name="allos-doctor", daemon=True).start()
    return future


def _in_time(work: Callable[[], T], timeout_s: float) -> T | None:
    try:
        return _in_thread(work).result(timeout_s)
    except TimeoutError:
        return None
