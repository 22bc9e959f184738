"""What a cell may spend, and what it would: ``--budget USD`` and ``--dry-run``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from allos.messages import as_messages
from allos.notebook import prompts
from allos.providers.pricing.budgets import Budget, budget
from allos.runs.preview import preview

if TYPE_CHECKING:
    from allos.notebook.arguments import Arguments
    from allos.notebook.cell import Question
    from allos.providers.pricing.planned_requests import Preview


def limit(shell: Any, arguments: Arguments) -> AbstractContextManager[Budget | None]:
    """Hold the calls of a cell to its budget; the person in front of it is asked where one is."""
    if arguments.budget_usd is None:
        return nullcontext()
    return budget(arguments.budget_usd, confirm=prompts.person(shell))


def plan(arguments: Arguments, question: Question) -> Preview:
    """Return what a cell would send."""
    messages, system = as_messages(question.prompt), question.system
    if arguments.chat is not None:
        from allos.runs import chats

        if arguments.chat in chats.names():  # a preview starts no conversation
            messages, system = chats.find(arguments.chat).build_messages(
                question.prompt, question.system
            )
    given = {
        "schema": question.schema,
        "tools": question.tools or None,
        **arguments.params,
    }
    return preview(
        messages,
        model=arguments.model,
        models=arguments.models or None,
        n=arguments.repeats,
        system=system,
        stream=arguments.stream,
        **{name: value for name, value in given.items() if value is not None},
    )
