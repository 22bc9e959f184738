"""The causes of an exception, and the classes among them."""

from __future__ import annotations

_MAX_LINKS = 10


def causes(exc: BaseException) -> list[BaseException]:
    """Return an exception and what caused it, the outermost one first."""
    links: list[BaseException] = []
    link: BaseException | None = exc
    while link is not None and link not in links and len(links) < _MAX_LINKS:
        links.append(link)
        link = link.__cause__ or link.__context__
    return links


def class_names(exc: BaseException) -> set[str]:
    """Return the names of the classes of an exception and of its causes, base classes included.

    The HTTP libraries are loaded late, and change: their exceptions are distinguished by name.
    """
    return {cls.__name__ for link in causes(exc) for cls in type(link).__mro__}
