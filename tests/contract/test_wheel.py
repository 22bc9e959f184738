"""What is installed: the board's bundle, and not what it is made from."""

from __future__ import annotations

from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
BOARD = "allos/notebook/board/"


def test_wheel_holds_the_boards_bundle_and_not_its_sources() -> None:
    """Users need no Node, and get nothing that only Node can read."""
    builder = WheelBuilder(str(ROOT))
    names = {
        file.distribution_path.replace("\\", "/")
        for file in builder.recurse_included_files()
        if "__pycache__" not in file.distribution_path
    }
    board = {name.removeprefix(BOARD) for name in names if name.startswith(BOARD)}

    assert {name for name in board if not name.endswith(".py")} == {
        "static/board.css",
        "static/LICENSES.txt",
        "static/board-second.js",
        "static/board.js",
    }
    assert "widget.py" in board
    assert {"allos/render/static/page.js", "allos/render/static/page.css"} <= names
    assert "allos/providers/catalog/services.toml" in names
    assert not any("node_modules" in name for name in names)
