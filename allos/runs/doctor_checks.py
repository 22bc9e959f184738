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

from allos.errors import AllosError, ConfigurationError
from allos.providers import ProviderRegistry
from allos.providers.auth import colab_secrets, endpoints, key_store
from allos.providers.catalog import services
from allos.providers.catalog.service import Service
from allos.runs.finding import Finding

T = TypeVar("T")

_KEYRING_S = 0.5
"""How long the keyring may take: one that is locked waits for somebody to open it."""
_ONLINE_S = 5.0
_LARGE_LOG_BYTES = 200_000_000
"""From here on the rows are not counted one by one."""
_LITTLE_SPACE_BYTES = 200_000_000

_PACKAGES = (
    *("openai", "anthropic", "httpx2", "pandas", "ipython", "ipykernel", "ipywidgets"),
    *("anywidget", "genai-prices"),
)
_OPTIONAL = frozenset({"ipykernel"})


def keys_(online: bool) -> Iterator[Finding]:
    """Where each key is; which keyring there is."""
    env = key_store.Environment()
    told = _in_time(lambda: (_kept_keys(), key_store.backend()), _KEYRING_S)
    kept = told[0] if told is not None else {}
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
        source = source or kept.get(service.name)
        if source is not None:
            found = True
            yield Finding("keys", "ok", f"{service.name}: found in {_place(source)}.")
        for name in service.key_env:
            if name in env and not env[name].strip():
                yield Finding(
                    "keys", "note", f"{name} is set, but empty.", "Unset it or fill it in."
                )
    if colab_secrets.is_available():
        yield Finding("keys", "note", "Colab's secrets are read when a service is called.")
    if not found:
        yield Finding("keys", "note", "No key of any service.", "Set one with %allos key PROVIDER.")
    if told is None:
        yield Finding(
            "keys",
            "note",
            f"The keyring did not answer within {_KEYRING_S:g} s.",
            "Unlock it, or set the key's variable in the environment.",
        )
        return
    ring, fault = told[1]
    if ring is not None:
        yield Finding("keys", "ok", f"Keyring: {ring}.")
    else:
        said = f"No keyring: {fault or 'the package is not installed'}."
        install = "" if fault else " pip install 'allos-jupyter[keyring]' adds it."
        yield Finding("keys", "note", said, f"%allos key lasts for the session.{install}")


def hosts(online: bool) -> Iterator[Finding]:
    """Where calls would go; with `online`, whether somebody answers there."""
    env = key_store.Environment()
    asked: dict[str, Future[Finding]] = {}
    for service in _services():
        named = next(
            (n for n in service.base_url_env + service.host_env if env.get(n, "").strip()), None
        )
        has_key = any(env.get(name, "").strip() for name in service.key_env)
        if named is None and not has_key and not key_store.cached_look(service, service.name):
            continue
        try:
            endpoint = endpoints.resolve(service, env=env, look=key_store.cached_look)
        except ConfigurationError as exc:
            if "No key for" not in str(exc):
                yield Finding("hosts", "problem", str(exc))
            continue
        url, why = endpoints.display_url(endpoint.base_url), f" ({named})" if named else ""
        plain = url.startswith("http://") and not endpoints.is_loopback(_host_name(url))
        if plain and not endpoint.placeholder:
            yield Finding(
                "hosts",
                "problem",
                f"{service.name}: {url}{why} is not encrypted, and the key would go there.",
                "Use https.",
            )
        else:
            yield Finding("hosts", "note" if named else "ok", f"{service.name}: {url}{why}.")
        if online and service.list_models:
            asked[service.name] = _in_thread(lambda service=service: _reached(service))  # type: ignore[misc]  # bound at once
    for name, future in asked.items():
        try:
            yield future.result(_ONLINE_S + 1)
        except TimeoutError:
            yield Finding("hosts", "problem", f"{name}: no answer within {_ONLINE_S:g} s.")
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        if value := env.get(name, "").strip():
            yield Finding(
                "hosts",
                "note",
                f"Calls go through the proxy {endpoints.display_url(value)} ({name}).",
            )
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if (value := env.get(name, "").strip()) and not os.path.exists(value):
            yield Finding(
                "hosts", "problem", f"{name} names {value!r}, which does not exist.", "Unset it."
            )


def log_(online: bool) -> Iterator[Finding]:
    """Where the log is, how large, and whether it can be written."""
    import shutil
    import sqlite3

    from allos import log
    from allos.log.log_file import VARIABLE, log_path, network_file_system
    from allos.log.store.sqlite_connection import has_wal_reset_bug

    path = log.path() or log_path(None)
    if path is None:
        yield Finding("log", "note", "The log is off.", f"Unset {VARIABLE} to keep answers.")
        return
    if not path.exists():
        yield Finding("log", "ok", f"{path} is made by the first answer.")
    else:
        yield _log_file(path)
    folder = next(each for each in (path.parent, *path.parents) if each.exists())
    if not os.access(path if path.exists() else folder, os.W_OK):
        yield Finding(
            "log", "problem", f"{path} cannot be written.", f"Name another file in {VARIABLE}."
        )
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_SPACE_BYTES:
        yield Finding("log", "problem", f"Only {_size(free)} are free for the log.", "Make room.")
    if network := network_file_system(folder):
        yield Finding(
            "log",
            "note",
            f"The log lies on a network file system ({network}): two computers must not write to it.",
            f"Name a local file in {VARIABLE}.",
        )
    version = sqlite3.sqlite_version
    if has_wal_reset_bug(sqlite3.sqlite_version_info):
        yield Finding(
            "log",
            "note",
            f"SQLite {version} has a rare fault with several writers (mended in 3.51.3); allos works "
            "around it.",
            "Let no other program write to the log.",
        )
    else:
        yield Finding("log", "ok", f"SQLite {version}.")


def embedded_model(online: bool) -> Iterator[Finding]:
    """Whether the embedded model is there; with `online`, whether it starts."""
    from allos.local.model_files import DEFAULT_MODEL, INSTALL_COMMAND, find_model, has_llama_cpp

    if not has_llama_cpp():
        yield Finding(
            "embedded model",
            "note",
            "llama.cpp (xllamacpp) is not installed.",
            f"Run: {INSTALL_COMMAND}",
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
            yield Finding("embedded model", "problem", str(exc), f"Run: {INSTALL_COMMAND}")
        else:
            took = perf_counter() - started
            yield Finding("embedded model", "ok", f"Its server runs (after {took:.1f} s).")


def versions(online: bool) -> Iterator[Finding]:
    """What is installed, what does not fit, and a second package of the same name."""
    from allos.version import __version__

    said = [f"Python {sys.version.split()[0]}", f"allos {__version__}"]
    for name in _PACKAGES:
        version = _version(name)
        if version is not None:
            said.append(f"{name} {version}")
        elif name not in _OPTIONAL:
            yield Finding("versions", "problem", f"{name} is not installed.", f"pip install {name}")
    yield Finding("versions", "ok", ", ".join(said) + ".")
    yield from _unfit()
    yield from _namesakes()


def notebook(online: bool) -> Iterator[Finding]:
    """Where the code runs, and whether widgets can be shown."""
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
    yield Finding("notebook", "ok", f"This is {where}.")
    if sys.platform == "emscripten":
        yield Finding(
            "notebook",
            "problem",
            "This Python runs in the browser, where there are no threads: allos cannot work here.",
            "Use a kernel on a computer.",
        )
    if "COLAB_RELEASE_TAG" in os.environ:
        yield Finding(
            "notebook",
            "note",
            "On Colab a comparison makes its cell wait, and shows its table instead of the board.",
        )
    for name in ("anywidget", "ipywidgets"):
        if importlib.util.find_spec(name) is None:
            yield Finding(
                "notebook",
                "problem",
                f"{name} is missing, so comparisons show no live board.",
                f"pip install {name}, and restart the kernel.",
            )


def settings(online: bool) -> Iterator[Finding]:
    """Which model answers, which budget holds, whether answers are replayed."""
    from allos.session import current_session

    session = current_session()

    model = session.model_name(None)
    known = session.settings.values()
    why = known["model"].source if "model" in known else "nothing else is set"
    try:
        services.find(services.split(model).provider)
        yield Finding("settings", "ok", f"Without a name, {model} answers ({why}).")
    except ConfigurationError as exc:
        yield Finding("settings", "problem", f"The default model ({why}): {exc}")
    for name, value in known.items():
        if name != "model":
            yield Finding("settings", "ok", f"{name} = {value.value} ({value.source}).")
    for each in session.budgets.in_force():
        yield Finding("settings", "ok", f"{str(each).strip('<>')}.")
    if not session.budgets.in_force():
        yield Finding("settings", "ok", "No budget.")
    if session.replay is not None:
        yield Finding(
            "settings", "note", "Recorded answers are replayed before a service is asked."
        )


ALL: tuple[Callable[[bool], Iterator[Finding]], ...] = (
    *(keys_, hosts, log_, embedded_model, versions, notebook, settings),
)


# ---- pieces --------------------------------------------------------------------------------------


def _services() -> list[Service]:
    return [each for each in services.every() if not each.embedded]


def _kept_keys() -> dict[str, str]:
    """Where keys are that are not in the environment, by service."""
    return {s.name: place for s in _services() if (place := key_store.where(s)) is not None}


def _place(source: str) -> str:
    words = {
        "process": "this process (%allos key)",
        "keyring": "the keyring",
        "colab": "Colab's secrets",
    }
    return words.get(source, source)


def _reached(service: Service) -> Finding:
    try:
        provider = ProviderRegistry.get_provider(service.name, model="any", timeout_s=_ONLINE_S)
        count = len(provider.list_models())
    except AllosError as exc:
        return Finding("hosts", "problem", str(exc))
    return Finding("hosts", "ok", f"{service.name} answers and lists {count:,} models.")


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
            "Name another file in ALLOS_LOG.",
        )
    about = "" if count == "count(*)" else "about "
    return Finding("log", "ok", f"{path}: {about}{rows:,} rows, {_size(size)}.")


def _unfit() -> Iterator[Finding]:
    """Packages whose version is not what allos asks for."""
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
                f"{wanted.name} {version} is installed, and allos needs {wanted.specifier}.",
                f"pip install '{wanted.name}{wanted.specifier}'",
            )


def _namesakes() -> Iterator[Finding]:
    """Another package called allos: the name is taken on the index by somebody else's."""
    from allos import version

    own = os.path.realpath(os.path.dirname(version.__file__))
    seen = {own}
    for entry in sys.path:
        for file in (Path(entry or ".", "allos", "__init__.py"), Path(entry or ".", "allos.py")):
            place = os.path.realpath(file.parent if file.name == "__init__.py" else file)
            if place not in seen and file.is_file():
                seen.add(place)
                yield Finding(
                    "versions",
                    "problem",
                    f"Another allos lies in {place}; the one in use is {own}.",
                    "Move it or rename it, and restart.",
                )
    if _version("allos") is not None:
        yield Finding(
            "versions",
            "problem",
            "The package 'allos' of the index is installed: it is somebody else's, and its files may "
            "have replaced ours.",
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
    """Run something on a thread of its own, which may outlive the waiting for it."""
    import threading

    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as exc:  # noqa: BLE001 - handed to who waits
            future.set_exception(exc)

    threading.Thread(target=run, name="allos-doctor", daemon=True).start()
    return future


def _in_time(work: Callable[[], T], timeout_s: float) -> T | None:
    try:
        return _in_thread(work).result(timeout_s)
    except TimeoutError:
        return None
