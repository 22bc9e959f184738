"""Who sees and changes which rows of a team's database."""

from __future__ import annotations

import contextlib

import pytest

from allos.database_url import DatabaseURL
from allos.errors import LogError
from allos.log.columns import COLUMNS, STORED_NAMES
from allos.log.query import read
from allos.log.store.migrations import VERSION
from allos.log.store.postgres import PostgresStore
from allos.log.store.protocol import Batch, Rating, RunRecord, Where
from tests.support.log_rows import a_response
from tests.support.postgres_server import PostgresServer
from tests.unit.log.store.test_postgres import batch


@pytest.fixture
def team(postgres: PostgresServer) -> str:
    """Name of a database that the administrator opened first, for Ann, Bob and their lead."""
    url = postgres.new_database()
    PostgresStore(DatabaseURL(url)).close()
    for name in ("ann", "bob", "lead"):
        if not postgres.execute(f"SELECT 1 FROM pg_roles WHERE rolname = '{name}'"):
            postgres.execute(f"CREATE ROLE {name} LOGIN")
    postgres.execute("GRANT ann, bob TO lead")
    return url.rpartition("/")[2]


def store_of(postgres: PostgresServer, user: str, team: str) -> PostgresStore:
    return PostgresStore(DatabaseURL(postgres.url(user, team)))


def test_each_sees_what_they_may(postgres: PostgresServer, team: str) -> None:
    """Their own rows; those of roles that were granted to them; the owner of the tables sees all."""
    seen = {}
    for number, user in enumerate(("ann", "bob")):
        store = store_of(postgres, user, team)
        rows = batch(number)
        run = RunRecord("bat_same", 5, number, user, 2, bytearray(b"{}"), bytearray(b"[]"))
        rating = Rating(a_response(number).id or "", 1, user, 7, id=user)
        store.append(Batch(rows.rows, rows.raw, [rating], [run]))
        store.lease("bat_same", f"session {user}", 0.5, 1.0)
        store.close()
    for user in ("ann", "bob", "lead", "admin"):
        store = store_of(postgres, user, team)
        with store.snapshot() as snapshot:
            seen[user] = (
                list(read(store, ["content"], Where())["content"]),
                [rating.note for rating in snapshot.ratings()],
                [run.question for run in snapshot.runs("bat_same")],
                len(list(snapshot.raw([a_response(0).id or "", a_response(1).id or ""]))),
                sum(store.leases("bat_same").values()),
            )
        store.close()

    everything = (["Answer 0", "Answer 1"], ["ann", "bob"], ["bob"], 2, 1.0)
    assert seen["ann"] == (["Answer 0"], ["ann"], ["ann"], 1, 0.5)
    assert seen["bob"] == (["Answer 1"], ["bob"], ["bob"], 1, 0.5)
    assert seen["lead"] == seen["admin"] == everything


_FORBIDDEN = (
    "DELETE FROM allos.responses",
    "UPDATE allos.responses SET content = 'other'",
    "INSERT INTO allos.responses (id, owner) VALUES ('x', 'ann')",
    "INSERT INTO allos.leases (run_id, holder, usd, owner) VALUES ('x', 'y', 1, 'ann')",
    "DROP TABLE allos.ratings",
    "ALTER TABLE allos.responses DISABLE ROW LEVEL SECURITY",
)


def test_the_database_refuses_the_rest(postgres: PostgresServer, team: str) -> None:
    """Whatever a client asks: nobody writes in the name of another, or changes a logged row."""
    import psycopg

    refused = []
    with psycopg.connect(postgres.url("bob", team), autocommit=True) as db:
        for statement in _FORBIDDEN:
            with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
                db.execute(statement)
                continue
            refused.append(statement)

    assert refused == [*_FORBIDDEN]


def test_the_columns_are_those_of_a_file(postgres: PostgresServer, team: str) -> None:
    """One list defines both; `seq` and `owner` are the database's own."""
    found = postgres.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'allos' AND table_name = 'responses'",
        team,
    )
    types = {"TEXT": "text", "INTEGER": "bigint", "REAL": "double precision"}

    assert {name for name, _ in found} == {*STORED_NAMES, "seq", "owner"}
    assert all(dict(found)[c.name] == types[c.sql_type] for c in COLUMNS if not c.joined)


def test_tables_of_a_newer_version_are_left_alone(postgres: PostgresServer, team: str) -> None:
    """One line says what to do."""
    postgres.execute(f"UPDATE allos.version SET number = {VERSION + 1}", team)

    with pytest.raises(
        LogError, match=r"^cannot open the log '.*': a newer version .*upgrade allos"
    ):
        store_of(postgres, "admin", team)


def test_who_may_not_make_the_tables_is_told(postgres: PostgresServer, team: str) -> None:
    """One line names the right that is missing."""
    empty = postgres.new_database().rpartition("/")[2]

    with pytest.raises(LogError, match=r"permission denied for database"):
        store_of(postgres, "bob", empty)
