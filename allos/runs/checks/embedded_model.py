"""Whether the embedded model is installed, and whether it starts."""

from __future__ import annotations

from collections.abc import Iterator

from allos.errors import AllosError, ConfigurationError
from allos.runs.checks.file_size import file_size
from allos.runs.finding import Finding


def embedded_model(online: bool) -> Iterator[Finding]:
    """Whether the embedded model is installed; with `online`, whether it starts."""
    from allos.local.model_files import DEFAULT_MODEL, find_model, has_llama_cpp, install_command

    if not has_llama_cpp():
        yield Finding(
            "embedded model",
            "note",
            "llama.cpp (xllamacpp) is not installed.",
            f"Run: {install_command()}",
        )
        return
    try:
        path = find_model(DEFAULT_MODEL)
    except ConfigurationError as exc:
        yield Finding("embedded model", "note", str(exc))
        return
    yield Finding(
        "embedded model", "ok", f"{DEFAULT_MODEL}: {path}, {file_size(path.stat().st_size)}."
    )
    if online:
        from time import perf_counter

        from allos.local import serve

        started = perf_counter()
        try:
            serve(DEFAULT_MODEL)
        except AllosError as exc:
            yield Finding("embedded model", "problem", str(exc), f"Run: {install_command()}")
        else:
            took = perf_counter() - started
            yield Finding(
                "embedded model", "ok", f"Its server is running (started in {took:.1f} s)."
            )
