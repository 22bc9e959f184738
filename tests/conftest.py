"""What every test shares: a private home, the real parts, and one plain line per part at the end.

A test that needs a real part says so with a marker (``kernel``, ``browser``, ``model``, ``postgres``,
``dask``), by lying in the folder of that name, or by asking for the part's fixture. Where the part is missing the test
is skipped with the reason. With ALLOS_REQUIRE_ALL=1 such a skip is a failure, and so is a whole run
in which a part had no test.
"""

from __future__ import annotations

import functools
import gc
import importlib.metadata
import importlib.util
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import settings

from tests.support import find_chromium, find_postgres
from tests.support.jupyter import Lab, private_environment

# A shell's background job ignores SIGINT, and what it starts inherits that: then neither a test that
# interrupts itself nor the stop button of a kernel would work. A handler is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A deadline for each example would test how busy the machine is.
settings.register_profile("allos", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=5)
settings.load_profile("allos")

_QUICK_CASES = 3
"""Of one test under ``--quick``."""

REQUIRE_ALL = bool(os.environ.get("ALLOS_REQUIRE_ALL"))
TESTS = Path(__file__).parent

_FIXTURES = {"kernel": "kernel", "lab": "browser", "postgres": "postgres", "dask_client": "dask"}
# The cheap suites come first. The browser comes last: playwright's loop stays in the main thread
# as long as the browser lives, and `asyncio.run` of another test would stumble over it.
_ORDER = {"unit": 0, "contract": 1, "kernel": 2, "model": 3, "browser": 4}


def _missing(*modules: str) -> str | None:
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"{', '.join(absent)} not installed (make setup)" if absent else None


def _kernel_missing() -> str | None:
    return _missing("ipykernel", "jupyter_client")


def _browser_missing() -> str | None:
    if absent := _missing("jupyterlab", "playwright"):
        return absent
    return None if find_chromium.find() else find_chromium.why_not()


def _model_missing() -> str | None:
    if absent := _missing("xllamacpp"):
        return absent
    from allos.errors import ConfigurationError
    from allos.local.model_files import DEFAULT_MODEL, find_model

    try:
        find_model(DEFAULT_MODEL)
    except ConfigurationError as error:
        return str(error)
    return None


def _postgres_missing() -> str | None:
    if absent := _missing("psycopg"):
        return absent
    return None if find_postgres.find() else find_postgres.why_not()


def _dask_missing() -> str | None:
    return _missing("distributed")


_PARTS: dict[str, Callable[[], str | None]] = {
    "kernel": functools.cache(_kernel_missing),
    "browser": functools.cache(_browser_missing),
    "model": functools.cache(_model_missing),
    "postgres": functools.cache(_postgres_missing),
    "dask": functools.cache(_dask_missing),
}
"""Why each real part cannot be had; None when it is there. Asked only when a test needs it."""


@pytest.fixture(autouse=True)
def own_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session for each test: no log with its thread, budget, setting or conversation is left to the next.

    Nor are the models that a service listed.
    """
    from allos import _process
    from allos.errors import LogError

    sessions: dict[str, Any] = {}
    monkeypatch.setattr(_process, "_defaults", sessions)
    yield
    for session in sessions.values():
        with suppress(LogError):  # of a test that breaks it
            session.log.close()
    cache = sys.modules.get("allos.providers.catalog.model_cache")
    if cache is not None and cache._lists:
        cache.forget()
        cache.cache_file().unlink(missing_ok=True)


_RAN, _SKIPPED = "real part", "missing part"
"""Names of what a report says of the real parts of its test."""
_ran: Counter[str] = Counter()
_skipped: dict[str, Counter[str]] = {part: Counter() for part in _PARTS}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help=f"no test that starts processes, at most {_QUICK_CASES} cases of each other one, spread "
        "over all, and few random examples",
    )
    parser.addoption(
        "--in-process",
        action="store_true",
        help="no test that starts processes or needs a real part: the others may run side by side (-n auto)",
    )
    parser.addoption(
        "--real-parts",
        action="store_true",
        help="only the tests that --in-process leaves out: one after the other, they share the machine",
    )


def _has_forgetful_uvloop() -> bool:
    """Whether uvloop leaves a socket to the garbage collector when its call is cancelled while it connects."""
    if importlib.util.find_spec("uvloop") is None:
        return False
    return tuple(map(int, importlib.metadata.version("uvloop").split(".")[:2])) < (0, 23)


def pytest_configure(config: pytest.Config) -> None:
    if _has_forgetful_uvloop():
        config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")
    if config.getoption("quick"):
        settings.load_profile("quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("quick"):
        _keep_quick_ones(config, items)
    for item in items:
        folder = _folder(item)
        fixtures = getattr(item, "fixturenames", ())
        for part in _PARTS:
            if folder == part or any(_FIXTURES.get(name) == part for name in fixtures):
                item.add_marker(part)
    if config.getoption("in_process"):
        _keep(config, items, [item for item in items if not _is_process(item)])
    if config.getoption("real_parts"):
        _keep(config, items, [item for item in items if _is_process(item)])
    items.sort(key=lambda item: _ORDER.get(_folder(item), 1))


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.getoption("quick"):
        # Modules and tests stay to the end; the collector looking at them is an eighth of the run.
        gc.collect()
        gc.freeze()


def _keep_quick_ones(config: pytest.Config, items: list[pytest.Item]) -> None:
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("process") is None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = {
        item
        for of_one_test in cases.values()
        for item in of_one_test[:: -(-len(of_one_test) // _QUICK_CASES)]
    }
    _keep(config, items, [item for item in items if item in kept])


def _is_process(item: pytest.Item) -> bool:
    """Whether a test starts processes, such as a kernel or a browser."""
    return bool(item.get_closest_marker("process") or _parts(item))


def _keep(config: pytest.Config, items: list[pytest.Item], kept: list[pytest.Item]) -> None:
    left_out = set(items).difference(kept)
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = kept


def _folder(item: pytest.Item) -> str:
    if not item.path.is_relative_to(TESTS):
        return ""
    return item.path.relative_to(TESTS).parts[0]


def _parts(item: pytest.Item) -> list[str]:
    return [part for part in _PARTS if item.get_closest_marker(part)]


# Before the fixtures: a missing part must not first cost the start of another one.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for part in _parts(item):
        if reason := _PARTS[part]():
            pytest.skip(f"{part}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    for part in _parts(item):
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = call.excinfo.value.msg if call.excinfo else "skipped"  # type: ignore[attr-defined]
            report.user_properties.append((_SKIPPED, (part, reason.removeprefix(f"{part}: "))))
            if REQUIRE_ALL:
                report.outcome = "failed"
                report.longrepr = f"skipped, but ALLOS_REQUIRE_ALL is set: {reason}"
        elif report.when == "call":
            report.user_properties.append((_RAN, part))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count what ran, also where another process has run it (``-n``)."""
    for name, value in report.user_properties:
        if name == _RAN and report.when == "call":
            _ran[str(value)] += 1
        elif name == _SKIPPED:
            part, reason = cast("tuple[str, str]", value)
            _skipped[part][reason] += 1


def _whole_run(config: pytest.Config) -> bool:
    narrowed = (
        config.option.keyword
        or config.option.markexpr
        or config.option.collectonly
        or config.option.in_process
    )
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not narrowed


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    untested = any(not _ran[part] for part in _PARTS)
    if REQUIRE_ALL and exitstatus == 0 and untested and _whole_run(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    whole = _whole_run(config)
    lines = [line for part in _PARTS if (line := _summary(part, whole=whole))]
    if lines:
        terminalreporter.section("real parts")
    for line in lines:
        terminalreporter.write_line(line)


def _summary(part: str, *, whole: bool) -> str | None:
    said = [f"{part}: ran {_ran[part]}"] if _ran[part] else []
    for reason, count in _skipped[part].items():
        said.append(f"{part}: could not run {count} because {reason}")
    if not said and whole:
        failed = "; that is a failure under ALLOS_REQUIRE_ALL" if REQUIRE_ALL else ""
        said.append(f"{part}: no test ran{failed}")
    return "\n".join(said) or None


@pytest.fixture(scope="session", autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test sees the person's keys, hosts, settings or files, nor writes to their log."""
    # Found before the home changes: the embedded model lies in the person's data folder.
    from allos.local.model_files import models_folder

    models = str(models_folder())
    home = tmp_path_factory.mktemp("home")
    environment = private_environment(home)
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(environment):
            if not name.startswith("PYTEST_"):  # pytest's own, it takes them away itself
                patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("ALLOS_MODELS", models)
        yield home


@pytest.fixture(scope="session")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    chromium = find_chromium.find()
    assert chromium is not None
    with Lab(tmp_path_factory.mktemp("lab"), chromium) as started:
        yield started


@pytest.fixture
def lab(_lab: Lab) -> Iterator[Lab]:
    """JupyterLab in a real browser; one for all tests, its pages and kernels end with the test."""
    yield _lab
    _lab.close_all()


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Any]:
    from tests.support.postgres_server import PostgresServer

    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres(_postgres: Any) -> Any:
    """A real PostgreSQL server; one for all tests, each makes a database of its own."""
    return _postgres


@pytest.fixture(scope="session")
def _dask_cluster() -> Iterator[Any]:
    from tests.support.dask_cluster import cluster

    with cluster(workers=2) as started:
        yield started


@pytest.fixture
def dask_client(_dask_cluster: Any) -> Iterator[Any]:
    """Client of a Dask cluster of two processes; one cluster for all tests."""
    from distributed import Client

    with Client(_dask_cluster) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture
def fake_server() -> Iterator[Any]:
    """A scripted server on 127.0.0.1 that speaks the three wire APIs."""
    from tests.support.fake_server import FakeServer

    with FakeServer() as server:
        yield server
