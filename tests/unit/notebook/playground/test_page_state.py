"""What the playground's page is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import allos
from allos.notebook.playground import page_state
from allos.providers.model_choices import describe_model
from allos.runs.playground import playground
from allos.session import Session
from allos.testing import ScriptedProvider

PROTOCOL = Path(page_state.__file__).parents[1] / "board/frontend/src/playground/protocol.js"


def test_every_field_has_a_type() -> None:
    """Whatever the kernel says stands in the page's own description of the messages, and is JSON."""
    made = playground("Hi {{ a }}", models=[ScriptedProvider("Yes.", name="groq")], data=[{"a": 1}])
    made.run().wait(20)
    plan = page_state.plan_state(made.plan(), [describe_model("openai/gpt-4o"), None], 3)
    said = [
        page_state.facts(made, "own"),
        *page_state.facts(made, "own")["parameters"],
        plan,
        plan["models"][0],
        *page_state.run_states(made.comparisons),
        made.draft.to_page(),
    ]
    typed = set(re.findall(r"@property \{.*?\} \[?(\w+)", PROTOCOL.read_text("utf-8")))

    assert json.loads(json.dumps(said)) == said
    assert {field for part in said for field in part} <= typed
    assert plan["models"][0]["price"] == "$2.50 in, $10.00 out"
    assert plan["models"][0]["window"] == "128k"


def test_rows_are_named(tmp_path: Path) -> None:
    """By the comparison's id, as long as its rows are in the log."""
    with Session().active():
        allos.log.open(tmp_path / "log.sqlite")
        made = playground("Hi", models=[ScriptedProvider("Yes.", name="groq")])
        made.run().wait(20)
        allos.log.flush()
        (run,) = page_state.run_states(made.comparisons)
        found = eval(run["rows"], {"allos": allos})
        allos.log.close()

    assert list(found["content"]) == ["Yes."]


def test_a_run_says_what_it_was_and_cost() -> None:
    """Models, rows, and the cost when it is done."""
    model = ScriptedProvider("Yes.", name="groq")
    made = playground("{{ a }}", models=[model, model], data=[{"a": 1}, {"a": 2}])
    made.run().wait(20)
    (run,) = page_state.run_states(made.comparisons)

    assert run["words"].startswith("1 model in 2 columns · 2 rows · ")
    assert run["rows"].startswith("playground.last.frame")
    assert run["short"] == f"cmp_…{run['id'][-4:]}"
