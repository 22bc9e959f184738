"""Errors of a connection: one line each, and never a password."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Iterator

import pytest

import allos
from allos.database_url import DatabaseURL
from allos.errors import LogError
from allos.log.store import postgres_connection

pytestmark = pytest.mark.postgres  # without a server, but with its client

PASSWORD = "s3cret-password"


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:{password}@127.0.0.1:{port}/team",
        "postgresql://ann@127.0.0.1:{port}/team?password={password}",
        "postgresql://ann:{password}@127.0.0.1:{port}/team?unknown_option={password}",
        "postgresql://ann:{password}@127.0.0.1:{port}/team?sslrootcert=/{password}&sslmode=verify-ca",
        "postgresql://ann:x/{password}@127.0.0.1:{port}/team",
    ],
)
def test_no_error_shows_the_password(url: str, closed_port: int) -> None:
    """Not in the message, in no variable of the traceback, and nowhere in its causes' text."""
    address = url.format(password=PASSWORD, port=closed_port)
    with pytest.raises(LogError) as failed:
        allos.log.open(address)
    del address
    shown = traceback.TracebackException.from_exception(failed.value, capture_locals=True)
    of_allos = [each for each in shown.stack if "/allos/" in each.filename]
    text = str(failed.value) + "".join(str(each.locals) for each in of_allos)

    assert "\n" not in str(failed.value)
    assert PASSWORD not in text
    assert of_allos
    assert failed.value.__context__ is None or failed.value.__suppress_context__
    assert not allos.log.is_open()


def test_the_setting_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where settings are listed, and where a call opens the log."""
    url = f"postgresql://ann:{PASSWORD}@127.0.0.1:1/team"
    monkeypatch.setenv("ALLOS_LOG", url)
    configured = allos.configure(temperature=0)
    set_in_code = allos.configure(log=url)
    with pytest.warns(UserWarning, match="Responses are not logged: cannot open the log") as warned:
        allos.current_session().open_log()

    assert PASSWORD not in repr((configured, set_in_code, [str(each.message) for each in warned]))
    assert "postgresql://ann:***@127.0.0.1:1/team" in repr(configured["log"])


def test_without_psycopg_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra has it."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)

    with pytest.raises(LogError, match=r"pip install 'allos-jupyter\[postgres\]'"):
        postgres_connection.connect(DatabaseURL("postgresql://127.0.0.1/team"))
