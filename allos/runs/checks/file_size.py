"""Sizes of files in words."""

from __future__ import annotations


def file_size(size_bytes: float) -> str:
    """A size in bytes with its unit, such as ``93 MB``."""
    for unit in ("B", "KB", "MB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} GB"
