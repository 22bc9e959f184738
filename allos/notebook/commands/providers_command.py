"""``%allos providers`` and ``%allos models``: which services and models there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allos.dtypes import text_dtype
from allos.errors import ConfigurationError, did_you_mean
from allos.providers.catalog import services

if TYPE_CHECKING:
    import pandas as pd

    from allos.providers.catalog.service import Service


def providers(args: tuple[str, ...]) -> pd.DataFrame:
    """Return all services, or those in which a word stands; the ready ones first.

    Returns
    -------
    pandas.DataFrame
        Index `provider`; `ready` (a key is set, or none is needed and allos starts it), `key` (variables),
        `key_set` (null where none is needed), `key_page`, `api`, `base_url`, `note`.

    Raises
    ------
    ConfigurationError
        More than one word, or one that stands in no service.
    """
    import pandas as pd

    from allos.notebook.tables.services_table import COLUMNS

    if len(args) > 1:
        raise ConfigurationError(
            f"%allos providers takes one word to search for, got {' '.join(args)!r}."
        )
    services.load_installed()
    found = [each for each in services.all_services() if not args or _holds(each, args[0])]
    if not found:
        raise ConfigurationError(
            f"No service has {args[0]!r} in its name, variables, URL or note."
            f"{services.suggestion(args[0])} %allos providers lists all {len(services.all_services())}."
        )
    rows = sorted((_row(each) for each in found), key=_rank)
    frame = pd.DataFrame(rows, columns=["provider", *COLUMNS])
    texts = dict.fromkeys(frame.columns.drop(["ready", "key_set"]), text_dtype())
    return frame.astype({"ready": bool, "key_set": "boolean", **texts}).set_index("provider")


def _holds(service: Service, word: str) -> bool:
    """Whether a word stands in what is known of a service."""
    texts = (service.name, *service.aliases, *service.known_for, *service.key_env)
    return any(word.lower() in text.lower() for text in (*texts, service.base_url, service.note))


def _row(service: Service) -> dict[str, object]:
    from allos.local import install_command
    from allos.notebook.tables.services_table import NOT_INSTALLED
    from allos.providers.auth import key_store
    from allos.providers.model_choices import is_embedded_installed

    key_set = key_store.is_set(service)
    ready = is_embedded_installed() if service.embedded else bool(key_set)
    missing = f"{NOT_INSTALLED}{install_command()}" if service.embedded and not ready else ""
    return {
        "provider": service.name,
        "ready": ready,
        "key": " or ".join(service.key_env) or None,
        "key_set": key_set,
        "key_page": service.key_page or None,
        "api": service.api,
        "base_url": service.base_url or None,
        "note": missing or service.note or None,
    }


def _rank(row: dict[str, object]) -> tuple[bool, bool, bool]:
    """Ready ones first, then the embedded model, the user's own servers last; else in the given order."""
    service = services.find(str(row["provider"]))
    return not row["ready"], not service.embedded, service.local or service.generic


def models(args: tuple[str, ...]) -> pd.DataFrame:
    """Return the models that a service lists, or those with a word in their name. Makes a request.

    Returns
    -------
    pandas.DataFrame
        As `allos.providers.catalog.model_list.ModelList.frame`, without columns that the service does
        not report.

    Raises
    ------
    ConfigurationError
        No service, too many words, or a word that stands in no model's name.
    ProviderError
        The service could not be asked.
    """
    from allos.local import DEFAULT_MODEL
    from allos.providers import ProviderRegistry

    if not 1 <= len(args) <= 2:
        raise ConfigurationError(
            "%allos models needs one provider, and takes a word to search for: %allos models groq, or "
            "%allos models groq llama."
        )
    any_model = DEFAULT_MODEL if services.find(args[0]).embedded else "any"
    listed = ProviderRegistry.get_provider(args[0], model=any_model).list_models()
    frame = listed.frame.drop(columns="provider")
    found = frame
    if len(args) == 2:
        found = frame[frame["model"].str.contains(args[1], case=False, regex=False)]
    if len(args) == 2 and found.empty:
        raise ConfigurationError(
            f"{args[0]} lists no model with {args[1]!r} in its name."
            f"{did_you_mean(args[1], listed.ids)} %allos models {args[0]} lists all {len(frame)}."
        )
    reported = found.dropna(axis="columns", how="all") if len(found) else found
    shown = reported.reset_index(drop=True)
    shown.attrs |= {"allos_view": "models", "allos_service": args[0]}
    return shown
