"""The embedded model: llama.cpp's server in a child process, and its model files.

`serve` returns a base URL and an API key, so that an embedded model is one more OpenAI-compatible
service. Nothing heavy is imported before `serve` is called.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from allos.local.model_files import (
    DEFAULT_MODEL,
    find_model,
    install_command,
    known_models,
    models_folder,
)

if TYPE_CHECKING:
    from allos.local.server import LocalServer as LocalServer
    from allos.local.server import serve as serve
    from allos.local.server import stop_all as stop_all

_LAZY = ("LocalServer", "serve", "stop_all")

__all__ = [
    "DEFAULT_MODEL",
    "LocalServer",
    "find_model",
    "install_command",
    "known_models",
    "models_folder",
    "serve",
    "stop_all",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'allos.local' has no attribute {name!r}")
    value = getattr(importlib.import_module("allos.local.server"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
