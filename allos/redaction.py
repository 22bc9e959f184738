"""Masks credentials in what a service sends: the keys that this process knows, and what looks like one.

Two rules, for two kinds of text:

- *content* (text, reasoning, arguments of tool calls): known keys are masked. What only looks like a
  key stays, since an example in an answer is a part of the answer;
- *facts* (ids, model names, finish reasons, headers, usage, error texts): known keys, their encoded
  forms, the beginning or end of one that was cut, and everything that looks like a credential are masked.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from functools import cache, lru_cache
from operator import is_
from typing import Any, TypeVar
from urllib.parse import quote

from allos.secret import MASK, live_secrets

T = TypeVar("T")

_SHORTEST_LOOKALIKE = 8
_LONGEST_FACT = 20_000
"""What is longer is no fact, but data (an image): only known keys are looked for."""
_CUT_KEY = 16
"""Characters at the beginning or end of a known key that are masked where the rest is missing. Service
prefixes such as ``sk-ant-api03-`` are shorter."""

_CONTENT_TEXTS = frozenset(
    {"text", "content", "reasoning", "reasoning_content", "thinking", "refusal", "partial_json"}
    | {"raw_arguments", "signature", "encrypted_content", "thought_signature", "b64_json", "data"}
)
"""Fields whose strings are content."""
_CONTENT_VALUES = frozenset({"arguments", "parsed_arguments", "input"})
"""Fields whose whole values are content."""

_LOOKALIKE = re.compile(
    r"""
    (?<![A-Za-z0-9])(?:
        (?:sk|csk|gsk|rk|pk|xai|pplx|nvapi|hf|fw|r8|tgp_v1|gh[opsu]|glpat|github_pat|jina|esecret)
            [-_](?:(?=[\w-]{0,99}\d)[\w-]{10,} | (?:[a-z]{1,8}-){0,3}[A-Za-z]{16,})
      | AIza[\w-]{20,}
      | A[KS]IA[A-Z0-9]{12,}
      | ya29\.[\w-]{10,}
      | eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?
      | (?i:Bearer|Basic|Token)[ :]\s*(?:(?=[^\s"',;]{0,99}\d)[^\s"',;<>]{8,} | [^\s"',;<>]{16,})
    )
    | (?<=://)[^\s/@:"']*:[^\s/@"']+(?=@)
    | (?<=[?&])((?i:[\w-]{0,40}(?:key|token|signature|credential|secret|password)|sig)=)[^\s&"'\#]{8,}
    """,
    re.X,
)
"""Prefixes of services' keys, tokens of the web, and credentials in URLs. Every repeat that could
begin anew at each character is bounded, so that a hostile text costs no more than a long one."""
_NUMBERS = frozenset({int, float, bool})
_LONGEST_CACHED, _MOST_CACHED = 100, 1000


def is_maskable(value: str) -> bool:
    """Whether a secret is distinct from ordinary words: a key of ``lm-studio`` is not.

    Examples
    --------
    >>> is_maskable("lm-studio"), is_maskable("sk-very-secret")
    (False, True)
    """
    return len(value) >= 12 or (len(value) >= 8 and any(map(str.isdigit, value)))


class Redactor:
    """Masks the given secrets, and what looks like one, in a service's text.

    Parameters
    ----------
    secrets : iterable of str
        Keys, header values, passwords. Ordinary words among them are left out, see `is_maskable`.

    Examples
    --------
    >>> redactor = Redactor(["0123-my-key"])
    >>> redactor.content("your key is 0123-my-key; keys look like sk-0123456789abcdef")
    'your key is ***; keys look like sk-0123456789abcdef'
    >>> redactor.fact("req-0123-my-key of sk-0123456789abcdef")
    'req-*** of ***'
    """

    __slots__ = ("_clean", "_clean_names", "_forms", "_long", "shortest")

    def __init__(self, secrets: Iterable[str]) -> None:
        values = {word for secret in secrets for word in _words(secret) if is_maskable(word)}
        forms = {form for value in values for form in _forms(value)}
        # The longest first: one key may begin with another.
        self._forms = sorted(forms, key=len, reverse=True)
        self._long = [value for value in values if len(value) > _CUT_KEY]
        self._clean: set[str] = (
            set()
        )  # facts without credentials: most are those of the call before
        self._clean_names: set[str] = set()  # the same of names of fields, short ones included
        self.shortest: float = min(map(len, forms), default=float("inf"))
        """Length of the shortest known key; shorter text holds none."""

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms, not shown)"

    def content(self, text: str) -> str:
        """Return text of a model with known keys masked."""
        if len(text) >= self.shortest:
            for form in self._forms:
                if form in text:
                    text = text.replace(form, MASK)
        return text

    def fact(self, text: str) -> str:
        """Return a fact or error text with known keys, and what looks like one, masked."""
        if len(text) < _SHORTEST_LOOKALIKE or text in self._clean:
            return text
        if len(text) > _LONGEST_FACT:
            return self.content(text)
        masked = self.content(text)
        for value in self._long:
            while (start := masked.find(value[:_CUT_KEY])) >= 0:
                end = start + _common_length(masked[start:], value)
                masked = masked[:start] + MASK + masked[end:]
            while (end := masked.find(value[-_CUT_KEY:]) + _CUT_KEY) >= _CUT_KEY:
                start = end - _common_length(masked[:end][::-1], value[::-1])
                masked = masked[:start] + MASK + masked[end:]
        masked = _LOOKALIKE.sub(_mask_match, masked)
        if masked == text and len(text) <= _LONGEST_CACHED:
            if len(self._clean) >= _MOST_CACHED:
                self._clean.clear()
            self._clean.add(text)
        return masked

    def value(self, value: T, *, is_content: bool = False) -> T:
        """Return a JSON value or dataclass with its strings masked; the same object where none is.

        Parameters
        ----------
        value : object
            A JSON value, or a dataclass of such values. Other objects stay as they are.
        is_content : bool
            Whether all of it is content; otherwise the names of fields tell.
        """
        if not is_content and isinstance(value, dict) and self._is_clean(value):
            return value
        masked: T = self._masked(value, is_content, is_content)
        return masked

    def _is_clean(self, value: dict[Any, Any]) -> bool:
        """Whether a JSON object surely holds no credential; nearly all do, and this is the cheap way."""
        names, clean, shortest = self._clean_names, self._clean, self.shortest
        waiting: list[tuple[Any, bool]] = [(value, False)]
        while waiting:
            part, is_content = waiting.pop()
            if type(part) is not dict:
                return False
            if not names.issuperset(part):
                return False
            for name, inner in part.items():
                kind = type(inner)
                if kind is str:
                    size = len(inner)
                    if size < _SHORTEST_LOOKALIKE or inner in clean:
                        continue
                    if is_content or name in _CONTENT_TEXTS:
                        if size >= shortest and self.content(inner) != inner:
                            return False
                    elif self.fact(inner) != inner:
                        return False
                elif kind is dict:
                    waiting.append((inner, is_content or name in _CONTENT_VALUES))
                elif kind is list and inner:
                    if name in _CONTENT_TEXTS:  # text in parts
                        return False
                    is_below = is_content or name in _CONTENT_VALUES
                    waiting += [(each, is_below) for each in inner]
        return True

    def _masked(self, value: Any, is_text: bool, is_all: bool) -> Any:
        """Mask a value; `is_text`: its own strings are content, `is_all`: everything below it is."""
        kind: Any = type(value)
        if kind is str:
            return self.content(value) if is_text or is_all else self.fact(value)
        if kind is dict:
            changes = self._changes(value.items(), is_all)
            if changes:
                value = {**value, **changes}
            return value if self._clean_names.issuperset(value) else self._with_clean_names(value)
        if kind is list or kind is tuple:
            items = [self._masked(inner, is_text, is_all) for inner in value]
            return value if all(map(is_, items, value)) else kind(items)
        if is_dataclass(value) and not isinstance(value, type):
            named = [(each, getattr(value, each)) for each in _field_names(kind)]
            changes = self._changes(named, is_all)
            return replace(value, **changes) if changes else value
        return value

    def _with_clean_names(self, value: dict[Any, Any]) -> dict[Any, Any]:
        masked = {self._masked(name, False, False): each for name, each in value.items()}
        if masked.keys() != value.keys():
            return masked
        if len(self._clean_names) < _MOST_CACHED:
            self._clean_names.update(value)
        return value

    def _changes(self, named: Iterable[tuple[str, Any]], is_all: bool) -> dict[str, Any]:
        """Return the named values that change, masked."""
        changes: dict[str, Any] = {}
        clean = self._clean
        for name, value in named:
            kind = type(value)
            if kind is str:  # inlined, since every call has dozens
                if len(value) < _SHORTEST_LOOKALIKE or value in clean:
                    continue
            elif value is None or kind in _NUMBERS:
                continue
            is_text = name in _CONTENT_TEXTS
            masked = self._masked(value, is_text, is_all or name in _CONTENT_VALUES)
            if masked is not value:
                changes[name] = masked
        return changes


def without_credentials(url: str) -> str:
    """Return a URL with user, password, keys and signatures masked.

    Examples
    --------
    >>> without_credentials("https://me:pw@host.example/cat.png?size=2&X-Amz-Signature=0123456789")
    'https://***@host.example/cat.png?size=2&X-Amz-Signature=***'
    """
    return current().fact(url)


def current() -> Redactor:
    """Return the redactor of all secrets that this process holds now."""
    return _redactor_of(live_secrets())


@lru_cache(maxsize=8)
def _redactor_of(values: tuple[str, ...]) -> Redactor:
    return Redactor(values)


def _mask_match(found: re.Match[str]) -> str:
    return (found.group(1) or "") + MASK


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if each.init)


def _words(secret: str) -> Iterable[str]:
    """Return a secret, and the parts of a header's value, any of which may be the key."""
    yield secret
    if re.search(r"[\s;]", secret):
        yield from re.split(r"[\s;,=]+", secret)


def _forms(value: str) -> Iterable[str]:
    """Return the ways in which a key appears in text: as it is, escaped, and inside of base64."""
    yield value
    yield value.replace("/", "\\/")
    yield quote(value, safe="")
    raw = value.encode()
    for shift in range(3):  # base64 has three forms of a text, depending on what stands before it
        encoded = b64encode(bytes(shift) + raw).decode()
        inner = encoded[(0, 2, 3)[shift] : (shift + len(raw)) * 8 // 6]
        yield inner
        yield inner.translate({43: "-", 47: "_"})


def _common_length(text: str, other: str) -> int:
    """Count the equal characters at the beginning of two strings."""
    pairs = zip(text, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(text), len(other)))
