"""``df.allos`` on every DataFrame from ``import allos`` on, without importing pandas for it.

A frame may come from a Parquet file, a colleague or a cluster, so the accessor cannot wait for the
first frame of the log. Where pandas is not there yet, it is registered as soon as pandas is.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def register() -> None:
    """Give every DataFrame the accessor ``allos``: now, or once pandas is imported."""
    if "pandas" in sys.modules:
        _add_to(sys.modules["pandas"])
    elif not any(isinstance(finder, _PandasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _PandasFinder())


class _PandasFinder:
    """Finds pandas as the other finders do, and has the accessor registered behind its import."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Spec of pandas, None for any other module; see `importlib.abc.MetaPathFinder`."""
        if name != "pandas":
            return None
        others = _without_ours(sys.meta_path)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec: ModuleSpec | None = next((each for each in found if each is not None), None)
        if spec is None or spec.loader is None:
            return None
        loader: Any = spec.loader
        execute = loader.exec_module

        def execute_and_add(module: ModuleType) -> None:
            del loader.exec_module  # the loader is as it was
            execute(module)
            sys.meta_path[:] = _without_ours(sys.meta_path)
            _add_to(module)

        with contextlib.suppress(
            AttributeError
        ):  # a loader of somebody else's may take no attribute
            loader.exec_module = execute_and_add
        return spec


def _without_ours(finders: Sequence[Any]) -> list[Any]:
    return [finder for finder in finders if not isinstance(finder, _PandasFinder)]


def _add_to(pandas: Any) -> None:
    if not hasattr(getattr(pandas, "DataFrame", None), "allos"):
        pandas.api.extensions.register_dataframe_accessor("allos")(_accessor)


def _accessor(frame: Any) -> Any:
    """Questions about a frame of responses."""
    module = importlib.import_module("allos.runs.frame_accessor")
    return module.ResponsesAccessor(frame)
