"""Find the programs of a PostgreSQL server, and on Debian as root install them.

    python -m tests.support.find_postgres             prints their folder, or why there is none
    python -m tests.support.find_postgres --install   installs Debian's first when none is there

Standard library only. `ALLOS_POSTGRES` names the folder with `initdb` and `pg_ctl` by hand.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import sys
from pathlib import Path

from tests.support import debian

PACKAGES = ("postgresql",)
_DEBIAN = Path("/usr/lib/postgresql")


@functools.cache
def find() -> Path | None:
    """Folder with the server's programs, or None."""
    if named := os.environ.get("ALLOS_POSTGRES"):
        return Path(named) if _has_all(Path(named)) else None
    of_debian = sorted(_DEBIAN.glob("*/bin"), key=lambda each: int(each.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    found = [*of_debian, *([Path(on_path).resolve().parent] if on_path else [])]
    return next(filter(_has_all, found), None)


def why_not() -> str:
    """Why `find` found nothing, or the server cannot be started, and what to do about it."""
    if named := os.environ.get("ALLOS_POSTGRES"):
        return f"ALLOS_POSTGRES={named} has no initdb and pg_ctl"
    return (
        "no PostgreSQL server was found; install one, or name the folder of its programs in "
        f"ALLOS_POSTGRES (Debian: apt-get install {' '.join(PACKAGES)})"
    )


def _has_all(folder: Path) -> bool:
    return all((folder / name).exists() for name in ("initdb", "pg_ctl", "postgres"))


def user() -> str | None:
    """Who runs the server: PostgreSQL refuses root. None: whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in names)


def main() -> int:
    """Print the folder, or why there is none (exit code 1)."""
    folder = find()
    if folder is None and "--install" in sys.argv[1:] and not os.environ.get("ALLOS_POSTGRES"):
        print("==> Installing PostgreSQL with apt-get (once; under a minute)", flush=True)
        if problem := debian.install(PACKAGES):
            print(f"    not installed: {problem}")
        find.cache_clear()
        folder = find()
    print(f"    postgres: {folder}" if folder else f"    its tests cannot run: {why_not()}")
    return 0 if folder else 1


if __name__ == "__main__":
    sys.exit(main())
