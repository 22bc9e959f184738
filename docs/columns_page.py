"""Write the table of `reference/log-schema.md` from the log's one list of columns.

Run ``python docs/columns_page.py`` after a change of the list; a test compares the page with it.
"""

from __future__ import annotations

import re
from pathlib import Path

from allos.log.columns import markdown_table

PAGE = Path(__file__).parent / "reference" / "log-schema.md"

_TABLE = re.compile(r"(?<=\n## Columns\n\n).*?(?=\n\n## )", re.DOTALL)


def page() -> str:
    """Text of the page with the table of now."""
    text, count = _TABLE.subn(lambda _: markdown_table().strip(), PAGE.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"{PAGE.name} needs one section '## Columns'")
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
