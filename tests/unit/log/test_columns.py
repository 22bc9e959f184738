from __future__ import annotations

import runpy
import sqlite3
from pathlib import Path

import pytest

from allos.log.columns import (
    COLUMNS,
    DTYPES,
    FRAME_NAMES,
    NAMES,
    STORED_NAMES,
    SUMMARY,
    add_columns,
    create_table,
    insert_rows,
    markdown_table,
)
from allos.log.store.migrations import VERSION


def words(text: str) -> list[str]:
    return text.split()


SCHEMA = words(
    """
id comparison_id run_id sample_index conversation_id parent_id request_hash created_at completed_at
provider base_url api model response_model temperature top_p max_tokens seed stream params
system prompt messages variables content reasoning refusal tool_calls
parts citations logprobs response_extra
status finish_reason finish_reason_raw
input_tokens cache_read_tokens cache_write_tokens output_tokens reasoning_tokens total_tokens
usage_source cost_usd input_cost_usd output_cost_usd price_version
latency_s total_time_s queue_s time_to_first_token_s tokens_per_second
error_type error_message http_status attempts retry_log
response_id request_id ratelimit_remaining_requests ratelimit_remaining_tokens ratelimit_reset_s
service_tier system_fingerprint replayed
session_id notebook cell_id execution_count user host git_commit allos_version tags metadata conversation task_key
rating note rating_tags rater rated_at
"""
)

INTEGERS = words(
    """
sample_index max_tokens seed input_tokens cache_read_tokens cache_write_tokens output_tokens
reasoning_tokens total_tokens http_status attempts ratelimit_remaining_requests
ratelimit_remaining_tokens execution_count rating
"""
)

FLOATS = words(
    """
temperature top_p cost_usd input_cost_usd output_cost_usd latency_s total_time_s queue_s
time_to_first_token_s tokens_per_second ratelimit_reset_s
"""
)

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "log-schema.md"


def test_columns_are_the_schema_in_its_order() -> None:
    """The list holds exactly the columns of the design, in its order."""
    assert list(NAMES) == SCHEMA


def test_a_frame_begins_with_what_people_read() -> None:
    """The frame holds every column once: those of a summary first, ids and hashes last."""
    assert sorted(FRAME_NAMES) == sorted(NAMES)
    assert FRAME_NAMES[: len(SUMMARY)] == SUMMARY
    assert len(SUMMARY) == 10
    last = FRAME_NAMES[FRAME_NAMES.index("id") :]
    assert {name for name in NAMES if name.endswith(("_id", "_hash"))} <= set(last)


def test_dtypes_are_the_schemas() -> None:
    """Numbers, flags and times have their dtype; everything else is text."""
    wanted = dict.fromkeys(SCHEMA, "str")
    wanted |= dict.fromkeys(INTEGERS, "Int64") | dict.fromkeys(FLOATS, "Float64")
    wanted |= dict.fromkeys(("stream", "replayed"), "boolean")
    wanted |= dict.fromkeys(("created_at", "completed_at", "rated_at"), "datetime64[us, UTC]")

    assert wanted == DTYPES


def test_ddl_makes_the_stored_columns() -> None:
    """The table holds `seq` and every column but those joined from the ratings."""
    db = sqlite3.connect(":memory:")
    db.execute(create_table(VERSION))
    found = [row[1] for row in db.execute("PRAGMA table_info(responses)")]
    db.close()

    assert found == ["seq", *list(STORED_NAMES)]
    assert [*STORED_NAMES, "rating", "note", "rating_tags", "rater", "rated_at"] == list(SCHEMA)


def test_an_insert_names_only_the_columns_asked_for() -> None:
    """Columns left out of an insert are NULL."""
    db = sqlite3.connect(":memory:")
    db.execute(create_table())
    db.execute(insert_rows([0, 9]), ("one", "groq"))
    row = db.execute("SELECT id, provider, model FROM responses").fetchone()
    db.close()

    assert row == ("one", "groq", None)


def test_a_later_version_adds_its_own_columns_only() -> None:
    """A version that brought no column alters nothing."""
    assert add_columns(VERSION + 1) == []


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_every_column_says_what_it_holds(column) -> None:
    """Each description is one sentence on one line."""
    assert column.description.endswith(".")
    assert "\n" not in column.description


def test_the_page_shows_the_list() -> None:
    """The page of the docs holds the table that the list makes."""
    assert markdown_table() in PAGE.read_text(encoding="utf-8")


def test_the_page_is_written_from_the_list() -> None:
    """Its script makes the page that is there."""
    script = runpy.run_path(str(PAGE.parents[1] / "columns_page.py"))

    assert script["page"]() == PAGE.read_text(encoding="utf-8")
