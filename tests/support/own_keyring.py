"""A keyring backend of the tests' own: one JSON file. Stands alone, so that a kernel can import it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FileKeyring(KeyringBackend):
    """Keeps passwords in the file that OWN_KEYRING names; the priority is that of a good one."""

    priority = 9
    lookups: list[str] = []  # noqa: RUF012 - what was looked up, for all of them

    @property
    def _path(self) -> Path:
        return Path(os.environ["OWN_KEYRING"])

    def _all(self) -> dict[str, str]:
        return json.loads(self._path.read_text()) if self._path.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        self.lookups.append(f"{service}/{username}")
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path.write_text(json.dumps({**self._all(), f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        kept = self._all()
        if f"{service}/{username}" not in kept:
            raise PasswordDeleteError("not found")
        del kept[f"{service}/{username}"]
        self._path.write_text(json.dumps(kept))


class BrokenKeyring(KeyringBackend):
    """Fails at everything, with the password in its words, as a careless backend may."""

    priority = 9

    def get_password(self, service: str, username: str) -> str | None:
        raise OSError(f"the bus is gone ({service}/{username}: sk-in-the-words)")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise OSError(f"the bus is gone ({password})")

    def delete_password(self, service: str, username: str) -> None:
        raise OSError("the bus is gone")
