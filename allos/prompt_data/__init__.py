"""Arrays, tables and what contains them, as text for a model: whole, or cut with a note of what is missing.

What such objects print is for a screen: it leaves out the middle. Their libraries are recognised by
name and never imported here.

- `objects`: which object is a table, an array, or a sequence of values
- `tables`, `arrays`: their text within a budget
- `containers`: lists, mappings and records that hold some of them
"""

from __future__ import annotations

from allos.prompt_data.containers import data_text, json_value
from allos.prompt_data.text import BUDGET_TOKENS, DataText

__all__ = ["BUDGET_TOKENS", "DataText", "data_text", "json_value"]
