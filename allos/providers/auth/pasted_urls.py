"""URLs as people paste them for a service whose consoles show many: one normal form of each.

A row of the catalog says which paths its consoles show (`pasted_path`) and on which domains its
resources are (`resource_domains`). What such a path names besides the resource is taken over: the
model (of Azure, a deployment) and the version of the API.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple, cast
from urllib.parse import parse_qs, quote, unquote, urlsplit

from allos.providers.catalog.service import Service

_TEMPLATE = re.compile(r"\{([A-Z0-9_]+)\}(.*)")
_DATED = re.compile(r"\d{4}-\d\d-\d\d")


class Pasted(NamedTuple):
    """A pasted URL in its normal form, and what else it named."""

    url: str
    model: str | None = None
    query: str = ""
    """To be sent with every request."""


class TakenOver(NamedTuple):
    """A caller's base URL and environment, with pasted URLs in their normal form."""

    base_url: str | None
    env: Mapping[str, str]
    model: str | None = None
    """What the URL names besides the resource."""
    source: str = ""
    """The argument or variable with the URL."""
    query: str = ""
    """To be sent with every request."""


def take_over(service: Service, base_url: str | None, env: Mapping[str, str]) -> TakenOver:
    """Replace the URLs that a service would be called at by their normal forms.

    Parameters
    ----------
    service : Service
    base_url : str, optional
        Of the caller; it precedes the variables.
    env : mapping
        Environment variables.

    Examples
    --------
    >>> from allos.providers.catalog.services import find
    >>> url = "https://r.openai.azure.com/openai/deployments/prod/chat/completions?api-version=2024-10-21"
    >>> found = take_over(find("azure"), url, {})
    >>> found.base_url, found.model
    ('https://r.openai.azure.com/openai/v1', 'prod')
    """
    template = _TEMPLATE.fullmatch(service.base_url)
    if not service.pasted_path or template is None:
        return TakenOver(base_url, env)
    variable, path = template.groups()
    forms = (service.pasted_path, service.resource_domains, service.version_query)
    if isinstance(base_url, str) and base_url.strip():
        found = _normal_form(base_url, path, *forms)
        return TakenOver(found.url, env, found.model, "base_url", found.query)
    name = next((name for name in service.base_url_env if env.get(name, "").strip()), None)
    if name is not None:
        found = _normal_form(env[name], path, *forms)
    elif env.get(name := variable, "").strip():
        found = _normal_form(env[name], None, *forms)
    else:
        return TakenOver(base_url, env)
    # Not a copy: in a traceback that would show every variable.
    changed = ChainMap({name: found.url}, cast("dict[str, str]", env))
    return TakenOver(base_url, changed, found.model, name, found.query)


# A pure cache: called with the same few URLs before every call.
@lru_cache(maxsize=64)
def _normal_form(
    value: str, path: str | None, pasted_path: str, domains: tuple[str, ...], version_query: str
) -> Pasted:
    """Resource of a pasted URL, followed by `path`; the text itself where it is no such URL.

    Without a `path` the text names a resource in any case.
    """
    text = value.strip(" \t\r\n'\"")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host = parts.hostname or ""
    except ValueError:
        return Pasted(text)
    is_resource = any(host.endswith(f".{domain}") for domain in domains)
    if "@" in parts.netloc or parts.fragment or not ("://" in text or is_resource):
        return Pasted(text)  # refused later, with the reason
    given = parts.path.rstrip("/")
    found = re.search(rf"(?:{pasted_path})$", given)
    known = found[0] if found else ""
    if path is not None and not (known or (is_resource and not given)):
        return Pasted(text)
    query = parse_qs(parts.query)
    versions = query.pop(version_query, [])
    if query or (parts.query and not versions):
        return Pasted(text)
    version = versions[-1] if versions else ""
    model = found.groupdict().get("model") if found else None
    root = given.removesuffix(known)
    return Pasted(
        f"{parts.scheme}://{parts.netloc}{root}{path or ''}",
        unquote(model) if model else None,
        # The normal form has no dated versions.
        f"{version_query}={quote(version)}" if version and not _DATED.match(version) else "",
    )
