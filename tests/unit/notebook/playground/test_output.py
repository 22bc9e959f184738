"""The static version of a playground."""

from __future__ import annotations

from allos.notebook.playground.output import playground_bundle
from allos.runs.playground import playground
from allos.testing import ScriptedProvider


def test_it_has_the_code_and_every_answer() -> None:
    """As HTML and as text; the rows of all runs are in the saved notebook."""
    made = playground("Hi", models=[ScriptedProvider("A **kind** answer.", name="groq")])
    made.run().wait(20)
    made.run().wait(20)
    data, metadata = playground_bundle(made, "own-class")

    assert 'class="allos-out own-class ' in data["text/html"]
    assert data["text/html"].count("<strong>kind</strong>") == 2
    assert "allos.compare(" in data["text/html"]
    assert "allos.compare(" in data["text/plain"]
    assert data["text/plain"].count("kind") == 2
    assert metadata == {} or len(metadata["allos"]["rows"]) == 2
