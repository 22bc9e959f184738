"""The single entry point for providers."""

from __future__ import annotations

from typing import Any

from allos.errors import ConfigurationError, did_you_mean
from allos.options import PROVIDER_OPTIONS
from allos.providers.catalog import services
from allos.providers.catalog.service import Build
from allos.providers.provider import Provider
from allos.secret import sealed
from allos.wire.parameters import VOCABULARY


class ProviderRegistry:
    """Hands out providers by name; nothing else needs to be imported to reach a service."""

    @staticmethod
    def get_provider(name: str, **kwargs: Any) -> Provider:
        """Build a provider. Nothing is sent.

        Parameters
        ----------
        name : str
            The service's name or alias, see `list_providers`.
        **kwargs
            `model` (required), and what `Provider` takes: `api_key`, `base_url`, `api`,
            `timeout_s`, `deadline_s`, `max_attempts`, `headers`, `context_window`, `strict`, and
            the parameters (`temperature`, `max_tokens` ...) as defaults of every call.

        Raises
        ------
        ConfigurationError
            Unknown provider, missing model, unknown keyword, missing key.

        Examples
        --------
        >>> ProviderRegistry.get_provider("openai", model="gpt-5-mini", api_key="sk-example").api
        'responses'
        """
        sealed(kwargs)
        service = services.find(name)
        if not kwargs.get("model"):
            raise ConfigurationError(
                f"provider {name!r} needs a model: "
                f"ProviderRegistry.get_provider({name!r}, model=...)."
            )
        if not isinstance(kwargs["model"], str) or not kwargs["model"].strip():
            raise ConfigurationError(
                f"provider {name!r}: model must be the name of a model, not {kwargs['model']!r:.80}."
            )
        build = services.build_of(service)
        known = tuple(dict.fromkeys((*PROVIDER_OPTIONS, *VOCABULARY, "extra", *_keywords(build))))
        for keyword in kwargs:
            if keyword not in known:
                raise ConfigurationError(
                    f"provider {name!r} does not take {keyword!r}.{did_you_mean(keyword, known)} "
                    f"It takes {', '.join(known)}."
                )
        if build is None:
            return Provider(service, **kwargs)
        made = build(service, **kwargs)
        if not isinstance(made, Provider):
            raise ConfigurationError(
                f"What is registered as {name!r} returned {type(made).__name__}, not a Provider."
            )
        return made

    @staticmethod
    def list_providers() -> list[str]:
        """Names and aliases of all services, sorted; loads the packages that bring some.

        Examples
        --------
        >>> "groq" in ProviderRegistry.list_providers()
        True
        """
        services.load_installed()
        return services.names()

    @staticmethod
    def get_env_var_name(name: str, /) -> str | None:
        """First environment variable that may hold a service's key; None when it needs none.

        Examples
        --------
        >>> ProviderRegistry.get_env_var_name("groq")
        'GROQ_API_KEY'
        """
        variables = services.find(name).key_env
        return variables[0] if variables else None


def _keywords(build: Build | None) -> list[str]:
    """Keywords of its own that a registered class or function takes."""
    if build is None:
        return []
    import inspect

    try:
        taken = inspect.signature(build).parameters.values()
    except (TypeError, ValueError):
        return []
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in taken if each.kind in named][1:]
