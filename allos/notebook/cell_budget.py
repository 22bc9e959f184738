"""Budget and dry run of a cell: ``--budget USD`` and ``--dry-run``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from allos.messages import as_messages
from allos.notebook import prompts
from allos.notebook.front_end import is_headless

if TYPE_CHECKING:
    from allos.notebook.arguments import Arguments
    from allos.notebook.question import Question
    from allos.providers.pricing.budgets import Budget
    from allos.providers.pricing.planned_requests import Preview


def cell_budget(shell: Any, arguments: Arguments) -> AbstractContextManager[Budget | None]:
    """Limit the calls of a cell to its budget; a call that could exceed it is asked about."""
    if arguments.budget_usd is None:
        return nullcontext()
    from allos.providers.pricing.budgets import budget

    return budget(arguments.budget_usd, confirm=prompts.confirmation(shell))


def dry_run(shell: Any, arguments: Arguments, question: Question) -> Preview:
    """Return what a cell would send."""
    from allos.runs.preview import preview

    messages, system = as_messages(question.prompt), question.system
    if arguments.chat is not None:
        from allos.runs import chats

        # A dry run starts no conversation.
        chat = chats.peek(arguments.chat, from_log=not is_headless(shell))
        messages, system = chat.build_messages(question.prompt, question.system)
    params = {
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
        **{name: value for name, value in params.items() if value is not None},
    )
