"""Pygments' regular-expression lexers, without the expressions that cannot match.

Such a lexer tries the rules of its state one after the other, and most of its time goes into those
that fail: 30 for one token of Python. What a pattern can begin with says which of them are worth a try.
The tokens are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pygments.lexer import Lexer

# match, token type or callback, new state
Rule = tuple[Callable[[str, int], "re.Match[str] | None"], Any, Any]
Codes = frozenset[int]
_OTHER = 128
"""Stands for every character that is not ASCII."""
_ALL: Codes = frozenset(range(_OTHER + 1))


def tokens(lexer: Lexer, code: str) -> Iterable[tuple[int, Any, str]]:
    """Give what ``lexer.get_tokens_unprocessed(code)`` gives, sooner where that is possible.

    Parameters
    ----------
    lexer : pygments.lexer.Lexer
    code : str

    Examples
    --------
    >>> from pygments.lexers import PythonLexer
    >>> [text for _, _, text in tokens(PythonLexer(), "x = 1")]
    ['x', ' ', '=', ' ', '1']
    """
    return _tokens(lexer, code) if _is_plain(type(lexer)) else lexer.get_tokens_unprocessed(code)


@cache
def _is_plain(lexer_class: type[Lexer]) -> bool:
    """Whether nothing but the rules of a lexer makes its tokens, and they can be looked into."""
    from pygments.lexer import RegexLexer

    method = getattr(lexer_class, "get_tokens_unprocessed", None)
    return method is RegexLexer.get_tokens_unprocessed and _parser() is not None


def _tokens(lexer: Any, code: str) -> Iterator[tuple[int, Any, str]]:
    from pygments.token import Error, Whitespace, _TokenType

    states = ["root"]
    by_char = _rules(lexer, "root")
    at, length = 0, len(code)
    while at < length:
        char = ord(code[at])
        for rule in by_char[min(char, _OTHER)]:
            if found := rule[0](code, at):
                break
        else:
            if code[at] == "\n":
                states = ["root"]
                by_char = _rules(lexer, "root")
            yield at, Whitespace if code[at] == "\n" else Error, code[at]
            at += 1
            continue
        _, action, new_state = rule
        if action is not None:
            if type(action) is _TokenType:
                yield at, action, found.group()
            else:
                yield from action(lexer, found)
        at = found.end()
        if new_state is not None:
            _change(states, new_state)
            by_char = _rules(lexer, states[-1])


def _change(states: list[str], new_state: Any) -> None:
    """Follow a rule to the next state; the last one on the stack stays."""
    if isinstance(new_state, int):
        del states[max(len(states) + new_state, 1) :]  # "#pop:2" is -2
        return
    for state in new_state if isinstance(new_state, tuple) else (new_state,):
        if state == "#push":
            states.append(states[-1])
        elif state != "#pop":
            states.append(state)
        elif len(states) > 1:
            states.pop()


@cache
def _rules(lexer: Any, state: str) -> Sequence[tuple[Rule, ...]]:
    """By the code of a character: the rules of a state that can match where it stands."""
    rules: list[Rule] = lexer._tokens[state]
    beginnings = [_beginnings(match.__self__) for match, _, _ in rules]  # type: ignore[attr-defined]
    return [
        tuple(rule for rule, codes in zip(rules, beginnings, strict=True) if code in codes)
        for code in sorted(_ALL)
    ]


@cache
def _parser() -> Any:
    """Python's own parser of regular expressions; None where it is not the one that is known here."""
    try:
        return import_module("re._parser")
    except ImportError:
        return None


@cache
def _beginnings(pattern: re.Pattern[str]) -> Codes:
    """What a match of a pattern can begin with; too many where it is not certain."""
    try:
        parsed = _parser().parse(pattern.pattern, pattern.flags)
        codes, may_be_empty = _of_sequence(parsed, parsed.state.flags)
    # Another Python may have another parser: then the rule is tried everywhere, as Pygments does.
    except Exception:  # noqa: BLE001
        return _ALL
    return _ALL if may_be_empty else codes


def _of_sequence(parts: Iterable[tuple[Any, Any]], flags: int) -> tuple[Codes, bool]:
    """Beginnings of parts in a row, and whether all of them can match nothing."""
    found: Codes = frozenset()
    for kind, value in parts:
        codes, may_be_empty = _of_part(str(kind), value, flags)
        found |= codes
        if not may_be_empty:
            return found, False
    return found, True


def _of_part(kind: str, value: Any, flags: int) -> tuple[Codes, bool]:
    match kind:
        case "LITERAL":
            return _with_case(frozenset({min(value, _OTHER)}), flags), False
        case "IN":
            return _of_set(value, flags), False
        case "NOT_LITERAL" | "ANY":
            return _ALL, False
        case "BRANCH":
            branches = [_of_sequence(branch, flags) for branch in value[1]]
            every = frozenset(code for codes, _ in branches for code in codes)
            return every, any(may_be_empty for _, may_be_empty in branches)
        case "SUBPATTERN":
            _, added, removed, parts = value
            return _of_sequence(parts, (flags | added) & ~removed)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, _, parts = value
            codes, may_be_empty = _of_sequence(parts, flags)
            return codes, may_be_empty or least == 0
        case "ATOMIC_GROUP":
            return _of_sequence(value, flags)
        case "AT" | "ASSERT" | "ASSERT_NOT":
            return frozenset(), True
        case _:  # what an earlier group matched, and what is not known here
            return _ALL, True


def _of_set(parts: Iterable[tuple[Any, Any]], flags: int) -> Codes:
    found: set[int] = set()
    is_negated = False
    for kind, value in parts:
        match str(kind):
            case "NEGATE":
                is_negated = True
            case "LITERAL":
                found.add(min(value, _OTHER))
            case "RANGE":
                found.update(range(min(value[0], _OTHER), min(value[1], _OTHER) + 1))
            case "CATEGORY":
                found |= _of_category(str(value))
            case _:
                return _ALL
    if not is_negated:
        return _with_case(frozenset(found), flags)
    return _ALL if flags & re.IGNORECASE else _ALL - found | {_OTHER}


@cache
def _of_category(name: str) -> Codes:
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    pattern = re.compile("\\" + (letter.upper() if "_NOT_" in name else letter))
    return frozenset(code for code in range(_OTHER) if pattern.match(chr(code))) | {_OTHER}


def _with_case(codes: Codes, flags: int) -> Codes:
    """Either case of these, where case is ignored; a few letters beyond ASCII have one within it."""
    if not flags & re.IGNORECASE:
        return codes
    both = {ord(other) for code in codes if code < _OTHER for other in chr(code).swapcase()}
    return codes | both | {_OTHER}
