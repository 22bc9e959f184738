"""The URL of a database: it may hold a password, so it is only printed without."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import unquote

from allos.secret import MASK, Secret

T = TypeVar("T")

_SCHEME = re.compile(r"\s*postgres(?:ql)?://", re.I)
_HOST = r"(?:\[[^/?#@\]]*\]|[^:/?#@,\[]*)(?::\d*)?"
_URL = re.compile(
    r"(?P<scheme>\w+)://(?:(?P<user>[^:/?#@]*)(?::(?P<password>[^/?#@]*))?@)?"
    rf"(?P<hosts>{_HOST}(?:,{_HOST})*)(?P<path>/[^/?#@]*)?(?:\?(?P<query>[^#@]*))?"
)
_SECRET_PARAMETER = re.compile(r"pass|secret|token|key", re.I)


class DatabaseURL:
    """The URL of a team's database, with or without a password.

    Parameters
    ----------
    url : str
        ``postgresql://user:password@host:port/database``.

    Attributes
    ----------
    shown : str
        The URL as messages show it.
    is_valid : bool
        Whether it can be read as a URL.

    Examples
    --------
    >>> DatabaseURL("postgresql://ann:very-secret@db.example/team")
    postgresql://ann:***@db.example/team
    """

    __slots__ = ("_secrets", "_url", "is_valid", "shown")

    def __init__(self, url: str) -> None:
        url = url.strip()
        self._url = Secret(url)
        self._secrets: tuple[Secret, ...] = ()
        found = _URL.fullmatch(url)
        self.is_valid = found is not None
        if found is None:
            self.shown = f"postgresql://{MASK}"
            return
        query = [each.partition("=")[::2] for each in (found["query"] or "").split("&")]
        secrets = [value for name, value in query if value and _SECRET_PARAMETER.search(name)]
        secrets += [found["password"]] if found["password"] else []
        self._secrets = tuple(map(Secret, dict.fromkeys([*secrets, *map(unquote, secrets)])))
        password = f":{MASK}" if found["password"] else ""
        user = f"{found['user']}{password}@" if found["user"] or password else ""
        hosts = found["hosts"] or ",".join(
            unquote(value) for name, value in query if name == "host"
        )
        self.shown = f"{found['scheme']}://{user}{hosts}{found['path'] or ''}"

    @staticmethod
    def matches(value: object) -> bool:
        """Whether a value is the URL of a database, and not the path of a file."""
        return isinstance(value, str) and _SCHEME.match(value) is not None

    def reveal(self) -> str:
        """Return the whole URL; only call it where a connection is made."""
        return self._url.reveal()

    @property
    def has_secret(self) -> bool:
        """Whether it holds what must not be shown."""
        return bool(self._secrets)

    def without_secrets(self) -> str:
        """Return the URL without its password, to be given to others."""
        found = _URL.fullmatch(self.reveal())
        if found is None:
            return self.shown
        user = f"{found['user']}@" if found["user"] else ""
        parts = (found["query"] or "").split("&")
        query = "&".join(
            each for each in parts if not _SECRET_PARAMETER.search(each.partition("=")[0])
        )
        plain = f"{found['scheme']}://{user}{found['hosts']}{found['path'] or ''}"
        return f"{plain}?{query}" if query else plain

    def redact(self, text: str) -> str:
        """Return a text with the URL and its secrets masked."""
        text = text.replace(self.reveal(), self.shown)
        for secret in self._secrets:
            text = secret.redact(text)
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseURL) and self._url == other._url

    def __hash__(self) -> int:
        return hash(self._url)

    def __repr__(self) -> str:
        return self.shown


def sealed_url(value: T) -> T | DatabaseURL:
    """Return a value, the URL of a database as a `DatabaseURL`: a traceback may show variables.

    Examples
    --------
    >>> sealed_url("postgresql://ann:very-secret@db.example/team"), sealed_url("log.sqlite")
    (postgresql://ann:***@db.example/team, 'log.sqlite')
    """
    return DatabaseURL(value) if isinstance(value, str) and DatabaseURL.matches(value) else value
