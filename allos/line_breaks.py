r"""Line breaks: editors and gateways write ``\n``, ``\r\n`` or ``\r``, and mean the same."""

from __future__ import annotations


def with_line_feeds(text: str) -> str:
    r"""Text in which every line break is ``\n``.

    Examples
    --------
    >>> with_line_feeds("one\r\ntwo\rthree\n")
    'one\ntwo\nthree\n'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
