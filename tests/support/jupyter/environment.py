"""What the processes of a test may know of the person who runs it: nothing personal."""

from __future__ import annotations

import os
import re
from pathlib import Path

_PERSONAL = re.compile(r"(_API_KEY|_BASE_URL|_TOKEN)$|^(ALLOS|IPYTHON|JUPYTER\w*|XDG|PYTEST)_")
_KEPT = frozenset({"ALLOS_MODELS", "ALLOS_CHROMIUM", "ALLOS_REQUIRE_ALL"})


def private_environment(home: Path) -> dict[str, str]:
    """Environment of this process without keys, hosts and settings; `home` holds what is personal.

    The log is off: a test that wants one names its own file in ALLOS_LOG. The keyring is empty.
    """
    kept = {k: v for k, v in os.environ.items() if k in _KEPT or not _PERSONAL.search(k)}
    folders = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "jupyter" / "config",
        "JUPYTER_DATA_DIR": home / "jupyter" / "data",
        "JUPYTER_RUNTIME_DIR": home / "jupyter" / "runtime",
        "JUPYTERLAB_SETTINGS_DIR": home / "jupyter" / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "jupyter" / "workspaces",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        **kept,
        **{name: str(folder) for name, folder in folders.items()},
        "ALLOS_LOG": "off",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
