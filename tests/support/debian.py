"""Packages of Debian that tests need, installed where that is possible. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence


def install(packages: Sequence[str]) -> str | None:
    """Install packages with apt-get, as root; None when it worked, else why not."""
    if not shutil.which("apt-get"):
        return "there is no apt-get on this system"
    if os.geteuid() != 0:
        return "installing it needs root"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (
        ["update", "-qq"],
        ["install", "-qq", "-y", "--no-install-recommends", *packages],
    ):
        done = subprocess.run(
            ["apt-get", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            return f"apt-get {arguments[0]} failed: {' '.join(last)}"
    return None
