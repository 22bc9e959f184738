"""A real PostgreSQL server of one's own, on 127.0.0.1 and in a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.support import find_postgres

_START_S = 60
# Nothing here outlives the tests, so nothing needs to reach the disk.
_OPTIONS = (
    "-c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 -c shared_buffers=16MB"
)


class PostgresServer:
    """Starts with ``with``; every user is trusted, also with a password."""

    def __init__(self) -> None:
        programs = find_postgres.find()
        assert programs is not None, find_postgres.why_not()
        self._programs = programs
        self._user = find_postgres.user()
        # In the system's folder: that of pytest is closed to the server's user.
        self._folder = Path(tempfile.mkdtemp(prefix="allos-postgres-"))
        self._data = self._folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._databases = 0

    def __enter__(self) -> Self:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-A", "trust", "-U", "admin", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        options = f"{_OPTIONS} -p {self.port} -k {self._folder}"
        log = str(self._folder / "server.log")
        self._run("pg_ctl", "start", "-w", "-t", str(_START_S), "-l", log, "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop: ``fast`` ends all connections, ``immediate`` is like a crash."""
        self._run("pg_ctl", "stop", "-w", "-m", mode)

    def restart(self, mode: str = "immediate") -> None:
        """Stop as in a crash, and start again."""
        self.stop(mode)
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "LC_ALL": "C"}
        subprocess.run(
            [self._programs / program, *arguments, "-D", self._data],
            check=True,
            cwd=self._folder,
            user=self._user,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # not a pipe: the server would keep it open
            timeout=_START_S * 2,
        )

    def new_database(self) -> str:
        """Create an empty database, and return its URL for the administrator."""
        self._databases += 1
        name = f"team_{self._databases}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url("admin", name)

    def url(self, user: str, database: str, password: str | None = None) -> str:
        """URL of a database for one of its users."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run one statement as the administrator."""
        import psycopg

        with psycopg.connect(self.url("admin", database), autocommit=True) as db:
            cursor = db.execute(statement)
            return cursor.fetchall() if cursor.description else []
