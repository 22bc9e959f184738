"""Which of a model's links are safe, and which host they lead to."""

from __future__ import annotations

import html
import re

MAX_URL_CHARS = 2_000

# Control and whitespace characters of any kind: browsers drop some of them inside a scheme.
_BLANK = re.compile(
    r"[\x00-\x20\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+"
)

# An authority right after `//`: `http:page` and `http:///page` would mean a page of the notebook's
# own server. No `@` in it: `https://bank.example@evil.example` names one host and opens another.
_WEB = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#]|$)", re.I)
_MAIL = re.compile(r"mailto:[^/\\?#@:]+@[a-z0-9.-]+(?:\?|$)", re.I)
_PRINTABLE = re.compile(r"[!-~]+")


def is_safe_link(url: str) -> bool:
    """Whether a URL may become a link: http, https or mailto, with a host.

    Checked twice, as written and after decoding entities and removing control and whitespace
    characters: both must be safe.

    Parameters
    ----------
    url : str
        Percent-encoded.

    Examples
    --------
    >>> [is_safe_link(u) for u in ("https://pandas.pydata.org/docs", "javascript:alert(1)", "/api")]
    [True, False, False]
    """
    if len(url) > MAX_URL_CHARS or not _PRINTABLE.fullmatch(url):
        return False
    bare = _BLANK.sub("", html.unescape(url))
    return all(_WEB.match(text) or _MAIL.match(text) for text in (url, bare))


def host_of(url: str) -> str:
    """Host of a safe URL, without a leading ``www.``; for mailto the host of the address."""
    match = re.match(r"(?:https?://|mailto:[^@]*@)(?:www\.)?([^/?#]+)", url, re.I)
    return match[1].lower() if match else ""


# `df.dropna` and `setup.py` are code, not hosts: without a scheme or `www.`, only well-known top-level
# domains count.
_ADDRESS = re.compile(
    r"(https?:/*|mailto:)?(?:[^\s/@]*@)?(www\.)?((?:[\w-]+\.)+([a-z]{2,24}))(?::\d+)?(?:[/?#]\S*)?",
    re.I,
)
_TOP_LEVEL_DOMAINS = frozenset(
    {"ai", "app", "biz", "cloud", "co", "com", "de", "dev", "edu", "eu", "fr", "gov", "info", "io"}
).union({"jp", "me", "net", "org", "uk", "us"})


def claimed_host(text: str) -> str:
    """Host that a link's text names, when the text looks like a URL; else empty.

    Examples
    --------
    >>> claimed_host("https://www.bank.example/login"), claimed_host("df.dropna")
    ('bank.example', '')
    """
    match = _ADDRESS.fullmatch(text.strip()) if len(text) <= MAX_URL_CHARS else None
    if match is None or not (match[1] or match[2] or match[4].lower() in _TOP_LEVEL_DOMAINS):
        return ""
    return match[3].lower()
