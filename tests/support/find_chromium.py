"""Find a Chromium or Chrome that starts, and on Debian as root install one.

    python -m tests.support.find_chromium             prints its path, or why there is none
    python -m tests.support.find_chromium --install   installs Debian's first when none is there

Standard library only: it runs before anything else is installed. `ALLOS_CHROMIUM` names one by hand.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys

from tests.support import debian

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
PACKAGES = ("chromium", "fonts-dejavu-core")


@functools.cache
def find() -> str | None:
    """Path of a browser that starts, or None."""
    if named := os.environ.get("ALLOS_CHROMIUM"):
        return named if _starts(named) else None
    for candidate in (*COMMANDS, *APPLICATIONS):
        path = shutil.which(candidate)
        if path and _starts(path):
            return path
    return None


def why_not() -> str:
    """Why `find` found nothing, and what to do about it."""
    if named := os.environ.get("ALLOS_CHROMIUM"):
        return f"ALLOS_CHROMIUM={named} does not start"
    return (
        "no Chromium or Chrome that starts was found; install one, or name it in ALLOS_CHROMIUM"
        f" (Debian: apt-get install {' '.join(PACKAGES)})"
    )


def _starts(path: str) -> bool:
    # Ubuntu's `chromium-browser` is a stub that only asks for a snap, so being there is not enough.
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def install() -> str | None:
    """Install Debian's Chromium where that is possible; None when it worked, else why not."""
    if problem := debian.install(PACKAGES):
        return problem
    find.cache_clear()
    return None


def main() -> int:
    """Print the browser's path, or why there is none (exit code 1)."""
    path = find()
    if path is None and "--install" in sys.argv[1:] and not os.environ.get("ALLOS_CHROMIUM"):
        print("==> Installing Chromium with apt-get (once; 1 to 3 minutes)", flush=True)
        if problem := install():
            print(f"    not installed: {problem}")
        path = find()
    print(f"    browser: {path}" if path else f"    browser tests cannot run: {why_not()}")
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
