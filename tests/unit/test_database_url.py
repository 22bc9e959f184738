from __future__ import annotations

import pytest

from allos.database_url import DatabaseURL, sealed_url

PASSWORD = "s3cret-pa%40ss"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql://ann:{PASSWORD}@db.example:5433/team", "ann:***@db.example:5433/team"),
        (f"postgresql://ann@db.example/team?password={PASSWORD}", "ann@db.example/team"),
        (f"postgresql://:{PASSWORD}@db.example/team", ":***@db.example/team"),
        (f"postgresql:///team?host=/run/pg&sslpassword={PASSWORD}", "/run/pg/team"),
        (f"postgresql://a:1,b:2/team?sslmode=require&password={PASSWORD}", "a:1,b:2/team"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    """Wherever it stands in the URL, and in whatever message it comes back."""
    sealed = DatabaseURL(url)
    said = sealed.redact(f"no connection to {url} with {PASSWORD} or s3cret-pa@ss")

    assert [str(sealed), repr(sealed), f"{sealed}"] == [f"postgresql://{shown}"] * 3
    assert sealed.is_valid
    assert "s3cret" not in said
    assert sealed.reveal() == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:s3/cret@db.example/team",
        "postgresql://ann:s3#cret@db.example/team",
        "postgresql://ann:12/3s3cret@db.example/team",
        "postgresql://ann:s3@cret@db.example/team",
        "postgresql://ann:s3?cret@db.example/team",
    ],
)
def test_of_a_url_that_cannot_be_read_nothing_is_shown(url: str) -> None:
    """A sign that was not escaped moves the password to where a host or a path would be."""
    sealed = DatabaseURL(url)

    assert not sealed.is_valid
    assert str(sealed) == "postgresql://***"


def test_a_path_stays_a_path() -> None:
    """Only the URL of a database is sealed; letter case and blanks around it do not matter."""
    assert sealed_url("log.sqlite") == "log.sqlite"
    assert sealed_url(None) is None
    assert isinstance(sealed_url(" POSTGRES://ann@db/team "), DatabaseURL)
