"""allos: talk to language models in Jupyter, compare them, analyse every answer as a DataFrame.

``import allos`` loads nothing but itself; each public name is imported when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from allos import _accessor
from allos.version import __version__

if TYPE_CHECKING:
    from allos import analysis as analysis
    from allos import log as log
    from allos import scorers as scorers
    from allos import testing as testing
    from allos.errors import AllosError as AllosError
    from allos.errors import BudgetError as BudgetError
    from allos.errors import ConfigurationError as ConfigurationError
    from allos.errors import ProviderError as ProviderError
    from allos.errors import ReplayMissError as ReplayMissError
    from allos.log.feedback import rate as rate
    from allos.log.feedback import ratings as ratings
    from allos.log.feedback import vote as vote
    from allos.log.feedback import votes as votes
    from allos.log.notebook_rows import from_notebook as from_notebook
    from allos.log.query import responses as responses
    from allos.log.text_search import search as search
    from allos.log.vote_import import import_votes as import_votes
    from allos.messages import Message as Message
    from allos.messages import MessageRole as MessageRole
    from allos.messages import ToolCall as ToolCall
    from allos.parts import File as File
    from allos.parts import Image as Image
    from allos.providers.auth.key_store import forget_key as forget_key
    from allos.providers.auth.key_store import set_key as set_key
    from allos.providers.pricing.budgets import budget as budget
    from allos.response import ProviderResponse as ProviderResponse
    from allos.runs.active_runs import stop_all as stop_all
    from allos.runs.ask import aask as aask
    from allos.runs.ask import ask as ask
    from allos.runs.batch import batch as batch
    from allos.runs.batch import preview_batch as preview_batch
    from allos.runs.batches import batches as batches
    from allos.runs.batches import resume as resume
    from allos.runs.boards import board as board
    from allos.runs.chats import chat as chat
    from allos.runs.chats import chats as chats
    from allos.runs.compare import compare as compare
    from allos.runs.doctor import doctor as doctor
    from allos.runs.evaluate import evaluate as evaluate
    from allos.runs.evaluation_preview import preview_evaluation as preview_evaluation
    from allos.runs.judge import judge as judge
    from allos.runs.logged_comparison import comparison as comparison
    from allos.runs.playground import playground as playground
    from allos.runs.preview import preview as preview
    from allos.runs.rerun import rerun as rerun
    from allos.runs.score import score as score
    from allos.session import configure as configure
    from allos.session import current_session as current_session
    from allos.session import replay as replay
    from allos.tools.tool import Tool as Tool
    from allos.tools.tool import tool as tool
    from allos.usage import Usage as Usage

# public name -> where it lives; None: the name is a module of its own
_PUBLIC: dict[str, str | None] = {
    "AllosError": "allos.errors",
    "BudgetError": "allos.errors",
    "ConfigurationError": "allos.errors",
    "File": "allos.parts",
    "Image": "allos.parts",
    "Message": "allos.messages",
    "MessageRole": "allos.messages",
    "ProviderError": "allos.errors",
    "ProviderRegistry": "allos.providers",
    "ProviderResponse": "allos.response",
    "ReplayMissError": "allos.errors",
    "Tool": "allos.tools.tool",
    "ToolCall": "allos.messages",
    "Usage": "allos.usage",
    "aask": "allos.runs.ask",
    "analysis": None,
    "ask": "allos.runs.ask",
    "batch": "allos.runs.batch",
    "batches": "allos.runs.batches",
    "board": "allos.runs.boards",
    "budget": "allos.providers.pricing.budgets",
    "chat": "allos.runs.chats",
    "chats": "allos.runs.chats",
    "compare": "allos.runs.compare",
    "comparison": "allos.runs.logged_comparison",
    "configure": "allos.session",
    "current_session": "allos.session",
    "doctor": "allos.runs.doctor",
    "evaluate": "allos.runs.evaluate",
    "forget_key": "allos.providers.auth.key_store",
    "from_notebook": "allos.log.notebook_rows",
    "import_votes": "allos.log.vote_import",
    "judge": "allos.runs.judge",
    "log": None,
    "playground": "allos.runs.playground",
    "preview": "allos.runs.preview",
    "preview_batch": "allos.runs.batch",
    "preview_evaluation": "allos.runs.evaluation_preview",
    "rate": "allos.log.feedback",
    "ratings": "allos.log.feedback",
    "vote": "allos.log.feedback",
    "votes": "allos.log.feedback",
    "replay": "allos.session",
    "rerun": "allos.runs.rerun",
    "responses": "allos.log.query",
    "resume": "allos.runs.batches",
    "score": "allos.runs.score",
    "scorers": None,
    "search": "allos.log.text_search",
    "set_key": "allos.providers.auth.key_store",
    "stop_all": "allos.runs.active_runs",
    "testing": None,
    "tool": "allos.tools.tool",
}

__all__ = [
    "AllosError",
    "BudgetError",
    "ConfigurationError",
    "File",
    "Image",
    "Message",
    "MessageRole",
    "ProviderError",
    "ProviderRegistry",
    "ProviderResponse",
    "ReplayMissError",
    "Tool",
    "ToolCall",
    "Usage",
    "__version__",
    "aask",
    "analysis",
    "ask",
    "batch",
    "batches",
    "board",
    "budget",
    "chat",
    "chats",
    "compare",
    "comparison",
    "configure",
    "current_session",
    "doctor",
    "evaluate",
    "forget_key",
    "from_notebook",
    "import_votes",
    "judge",
    "load_ipython_extension",
    "log",
    "playground",
    "preview",
    "preview_batch",
    "preview_evaluation",
    "rate",
    "ratings",
    "replay",
    "rerun",
    "responses",
    "resume",
    "score",
    "scorers",
    "search",
    "set_key",
    "stop_all",
    "testing",
    "tool",
    "unload_ipython_extension",
    "vote",
    "votes",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'allos' has no attribute {name!r}")
    home = _PUBLIC[name]
    value = (
        importlib.import_module(f"allos.{name}")
        if home is None
        else getattr(importlib.import_module(home), name)
    )
    globals()[name] = value
    return value


def _show_results() -> None:
    """Let a notebook show responses, comparisons and errors also without ``%load_ext allos``."""
    find_shell = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = find_shell() if find_shell is not None else None
    if shell is not None:
        from allos.notebook import tracebacks
        from allos.notebook.display import Display

        Display(shell).register_formatters()
        tracebacks.shorten_all()


def make_default_session() -> Any:
    """Make the process's default session; `allos._process` calls it once."""
    from allos.session import Session

    return Session()


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(ipython: Any) -> None:
    """Register the ``%allos`` and ``%%allos`` magics (called by ``%load_ext allos``)."""
    from allos.notebook import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Remove everything that `load_ipython_extension` registered."""
    from allos.notebook import unload

    unload(ipython)


_accessor.register()
_show_results()
