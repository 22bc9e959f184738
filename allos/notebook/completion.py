"""Completion on the line of ``%allos`` and ``%%allos``: providers, models, flags, sub-commands.

IPython calls the completer for every Tab, so nothing here makes a request: models are those that a
service reported earlier, else those of the shipped table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

_LINE = re.compile(r"^\s*(?:[\w.,\[\]'\" ]+=\s*)?(%{1,2})allos\s+(.*)$", re.DOTALL)
_MAX_SHOWN = 400


def register(shell: Any) -> None:
    """Add completion of the magic's lines to a shell."""
    completer = getattr(shell, "Completer", None)
    if completer is None:
        return
    try:
        matcher, matchers = _matcher_for(shell), completer.custom_matchers
    except ImportError:  # before IPython 8.6
        matcher, matchers = _argument_matcher_for(shell), completer.magic_arg_matchers
    matcher.of_allos = True  # `unregister` looks for it
    matchers.append(matcher)


def unregister(shell: Any) -> None:
    """Remove what `register` added."""
    completer = getattr(shell, "Completer", None)
    for name in ("custom_matchers", "magic_arg_matchers"):
        matchers = getattr(completer, name, [])
        matchers[:] = [each for each in matchers if not hasattr(each, "of_allos")]


def _matcher_for(shell: Any) -> Any:
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(priority=100, identifier="allos")
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        found = _replacing(context.text_until_cursor, context.token, shell.user_ns)
        if found is None:
            return {"completions": [], "suppress": False}
        token, texts = found
        return {
            "completions": [SimpleCompletion(text=text, type="magic") for text in texts],
            "matched_fragment": token,
            "suppress": True,
            "ordered": True,
        }

    return matcher


def _argument_matcher_for(shell: Any) -> Any:
    """Matcher for the arguments of magics: older completers use no other before Python's own."""
    completer = shell.Completer

    def matcher(line: str) -> list[str]:
        before = completer.text_until_cursor
        word = completer.splitter.split_line(line, len(before))
        found = _replacing(before, word, shell.user_ns)
        # They replace their own word by what is chosen, whatever the word is.
        return found[1] if found is not None and found[0] == word else []

    return matcher


def _replacing(before: str, token: str, namespace: dict[str, Any]) -> tuple[str, list[str]] | None:
    """The text to replace, at most the completer's own word (`token`), and its replacements.

    None where another completer should answer.
    """
    found = candidates(before, namespace)
    if found is None:
        return None
    word, matches = found
    # The completer's own word starts later where ours contains one of its separators (: @ =).
    token = token if word.endswith(token) else ""
    head = len(word) - len(token)
    # Python's names must not be offered here: where nothing matches, the word itself prevents it.
    return token, [each[head:] for each in matches[:_MAX_SHOWN]] or [token]


def candidates(before: str, namespace: dict[str, Any]) -> tuple[str, list[str]] | None:
    """The word under the cursor, and the words that complete it, in order.

    Parameters
    ----------
    before : str
        The line up to the cursor.
    namespace : dict
        The user's variables.

    Returns
    -------
    tuple or None
        None where another completer should answer: not a line of the magic, inside a quote, or a
        file.

    Examples
    --------
    >>> candidates("%%allos gro", {})
    ('gro', ['groq'])
    >>> candidates("%%allos groq/m --no", {})
    ('--no', ['--no-stream', '--no-log'])
    """
    found = _possible(before, namespace)
    if found is None:
        return None
    word, words = found
    return word, [each for each in words if each.startswith(word) and each != word]


def _possible(before: str, namespace: dict[str, Any]) -> tuple[str, list[str]] | None:
    match = _LINE.match(before)
    if match is None:
        return None
    cell, text = match[1] == "%%", match[2]
    if _inside_quote(text):
        return None
    given = text.split()
    word = "" if not text or text[-1].isspace() else given.pop()
    if word[:1] in ("'", '"'):
        return None
    if given[1:2] == ["<<"]:
        given = given[2:]
    elif given and given[0].endswith("<<"):
        given = given[1:]
    if not cell and given and _is_command(given[0]):
        words = _of_command(given[0], given[1:], word)
        return None if words is None else (word, words)
    flag, equals, value = word.partition("=")
    if equals and flag.startswith("-"):
        values = _values(flag, value, namespace)
        return (word, [f"{flag}={each}" for each in values]) if values is not None else None
    if given and given[-1] in _takes_value():
        values = _values(given[-1], word, namespace)
        return (word, values) if values is not None else None
    if word.startswith("-"):
        return word, [flag for flag in _flags() if flag not in given]
    words = _words(_names(given), word, cell=cell)
    return None if words is None else (word, words)


def _inside_quote(text: str) -> bool:
    open_ = ""
    for sign in text:
        if open_:
            open_ = "" if sign == open_ else open_
        elif sign in "\"'":
            open_ = sign
    return bool(open_)


def _names(given: Sequence[str]) -> list[str]:
    """Words that are neither flags nor their values."""
    names: list[str] = []
    takes, skip = _takes_value(), False
    for each in given:
        if skip:
            skip = False
        elif each in takes:
            skip = True
        elif not each.startswith("-"):
            names.append(each)
    return names


def _words(names: list[str], word: str, *, cell: bool) -> list[str] | None:

    first = names[0] if names else None
    if first == "compare" and cell:
        return _of_model(word, joined=True)
    if first == "batch" and cell:
        return _of_model(word, joined=True) if len(names) > 1 else None  # a variable first
    if first is None:
        own = ["batch", "compare"] if cell else sorted(_commands())
        return [*_of_model(word, joined=False), *own]
    if len(names) == 1 and "/" not in first:
        own = ["install", "status"] if first == "local" and not cell else []
        return [*models(first), *own]
    return []


def _of_model(word: str, *, joined: bool) -> list[str]:
    """Providers; after a slash, the models of one."""
    from allos.providers.catalog import services

    provider, slash, _ = word.partition("/")
    if slash:
        return [f"{provider}/{model}" for model in models(provider)]
    return [f"{name}/" if joined else name for name in services.names()]


def models(provider: str) -> list[str]:
    """Models of a provider that are known without a request."""
    from allos.errors import ConfigurationError
    from allos.providers.catalog import services

    try:
        service = services.find(provider)
    except ConfigurationError:
        return []
    if service.embedded:
        from allos.local.model_files import known_models

        return list(known_models())
    from allos.providers.catalog import model_cache

    return model_cache.known_models(service.name)


def _is_command(name: str) -> bool:
    from allos.providers.catalog import services

    return name in services.RESERVED


def _of_command(command: str, rest: list[str], word: str) -> list[str] | None:
    from allos.providers.catalog import services

    if command in ("models", "key", "providers") and not rest:
        return services.names()
    if command in ("log", "spent", "summary", "cost", "rank"):
        return _rows(command, rest, word)
    if command == "chats":
        verbs = ["show", "reset", "branch"]
        return verbs if not rest else _chats() if len(rest) == 1 and rest[0] in verbs else []
    if command == "replay":
        from allos.settings import REPLAY_MODES

        return list(REPLAY_MODES) if len(rest) == 1 else [] if rest else None  # a file, then a mode
    return []


def _rows(command: str, rest: list[str], word: str) -> list[str]:
    """Words that say which rows of the log, and in what groups."""
    from allos.log import days
    from allos.providers.catalog import services

    if command == "rank":
        return [] if rest else list(days.WORDS)
    options = {"log": ["--grep"], "summary": ["--by"], "cost": ["--by"]}.get(command, [])
    if rest[-1:] == ["--grep"]:
        return []
    if rest[-1:] == ["--by"]:
        from allos.notebook.commands.analysis_command import columns

        done, comma, _ = word.rpartition(",")
        return [f"{done}{comma}{name}" for name in columns()]
    if word.startswith("-"):
        return [option for option in options if option not in rest]
    switches = ["off", "on"] if command == "log" and not rest else []
    return [*days.WORDS, *switches, *services.names()]


def _commands() -> Iterable[str]:
    from allos.notebook.commands.dispatch import names

    return names()


def _flags() -> list[str]:
    from allos.notebook.flags import parser

    return [flag for action in parser()._actions for flag in reversed(action.option_strings)]


def _takes_value() -> frozenset[str]:
    from allos.notebook.flags import parser

    return frozenset(
        flag
        for action in parser()._actions
        if action.option_strings and action.nargs != 0
        for flag in action.option_strings
    )


def _values(flag: str, word: str, namespace: dict[str, Any]) -> list[str] | None:
    """Possible values of a flag; None where another completer should answer."""
    if flag == "--chat":
        return _chats()
    if flag in ("-o", "--output"):
        return _variables(namespace, lambda value: not callable(value))
    if flag == "--schema":
        return _variables(namespace, lambda value: isinstance(value, type | dict))
    if flag == "--mode":
        from allos.options import BATCH_MODES

        return list(BATCH_MODES)
    if flag == "--store":
        return None  # a folder
    if flag == "--executor":
        return _variables(namespace, _is_executor)
    if flag == "--image":
        return _variables(namespace, _is_picture)
    if flag == "--tools":
        done, comma, _ = word.rpartition(",")
        return [f"{done}{comma}{name}" for name in _variables(namespace, _is_tool)]
    return []


def _variables(namespace: dict[str, Any], fits: Callable[[Any], bool]) -> list[str]:
    hidden = {"In", "Out", "exit", "quit", "open", "get_ipython"}
    return sorted(
        name
        for name, value in namespace.items()
        if not name.startswith("_") and name not in hidden and fits(value)
    )


def _is_tool(value: Any) -> bool:
    from allos.tools.tool import Tool

    return isinstance(value, Tool) or (callable(value) and not isinstance(value, type))


def _is_executor(value: Any) -> bool:
    kinds = {(base.__module__.partition(".")[0], base.__name__) for base in type(value).__mro__}
    return not kinds.isdisjoint({("concurrent", "Executor"), ("distributed", "Client")})


def _is_picture(value: Any) -> bool:
    # By the names of its classes: converting every object to see whether it is a figure takes seconds.
    kinds = {(base.__module__.partition(".")[0], base.__name__) for base in type(value).__mro__}
    known = {("allos", "Image"), ("PIL", "Image"), ("matplotlib", "Figure")}
    return not kinds.isdisjoint(known)


def _chats() -> list[str]:
    from allos.runs import chats

    return sorted(chats.names())
