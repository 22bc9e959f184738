"""Models for tests: their answers come from a script. No network, no key, no SDK, no waiting.

A `ScriptedProvider` can be used wherever a model can; `register` gives a script a name. Everything else
is real: the engine, retries, limits, budgets, replay and the log. `example_log` and `example_votes` are
made-up frames, to try analysis on.

Examples
--------
>>> import allos
>>> from allos.testing import ScriptedProvider
>>> model = ScriptedProvider(["Paris.", "Rome."])
>>> allos.ask("Capital of France?", model=model).content
'Paris.'
>>> model.requests[0].prompt
'Capital of France?'
"""

from __future__ import annotations

from allos.testing.answer import Answer, Hold
from allos.testing.example_log import example_log, example_votes
from allos.testing.script import Script
from allos.testing.scripted_provider import ScriptedProvider, register, unregister

__all__ = [
    "Answer",
    "Hold",
    "Script",
    "ScriptedProvider",
    "example_log",
    "example_votes",
    "register",
    "unregister",
]
