"""The entry point for providers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError, did_you_mean
from allos.providers.catalog import services
from allos.secret import seal_secrets

if TYPE_CHECKING:
    from allos.providers.catalog.service import ProviderFactory
    from allos.providers.provider import Provider


class ProviderRegistry:
    """Returns providers by name; no other import is needed to use a service."""

    @staticmethod
    def get_provider(name: str, **kwargs: Any) -> Provider:
        """Build a provider. Nothing is sent.

        Parameters
        ----------
        name : str
            The service's name or alias, see `list_providers`.
        **kwargs
            `model` (required), and the options of `Provider`: `api_key`, `base_url`, `api`,
            `timeout_s`, `deadline_s`, `max_attempts`, `headers`, `context_window`, `strict`, and
            the parameters (`temperature`, `max_tokens` ...) as defaults of every call.

        Raises
        ------
        ConfigurationError
            Unknown provider, missing model, unknown keyword, missing API key.

        Examples
        --------
        >>> ProviderRegistry.get_provider("openai", model="gpt-5-mini", api_key="sk-example").api
        'responses'
        """
        from allos.options import PROVIDER_OPTIONS
        from allos.providers.provider import Provider
        from allos.wire.parameters import VOCABULARY

        seal_secrets(kwargs)
        service = services.find(name)
        if not kwargs.get("model"):
            raise ConfigurationError(
                f"provider {name!r} needs a model: "
                f"ProviderRegistry.get_provider({name!r}, model=...)."
            )
        if not isinstance(kwargs["model"], str) or not kwargs["model"].strip():
            raise ConfigurationError(
                f"provider {name!r}: model must be a non-empty string, got {kwargs['model']!r:.80}."
            )
        factory = services.factory_of(service)
        known = tuple(dict.fromkeys((*PROVIDER_OPTIONS, *VOCABULARY, "extra", *_keywords(factory))))
        for keyword in kwargs:
            if keyword not in known:
                raise ConfigurationError(
                    f"provider {name!r} got an unexpected keyword {keyword!r}.{did_you_mean(keyword, known)} "
                    f"Expected: {', '.join(known)}."
                )
        if factory is None:
            return Provider(service, **kwargs)
        provider = factory(service, **kwargs)
        if not isinstance(provider, Provider):
            raise ConfigurationError(
                f"The factory registered as {name!r} returned {type(provider).__name__}, expected a "
                "Provider."
            )
        return provider

    @staticmethod
    def list_providers() -> list[str]:
        """Names and aliases of all services, sorted; loads installed plugins.

        Examples
        --------
        >>> "groq" in ProviderRegistry.list_providers()
        True
        """
        services.load_installed()
        return services.names()

    @staticmethod
    def get_env_var_name(name: str, /) -> str | None:
        """First environment variable for a service's API key; None when it needs none.

        Examples
        --------
        >>> ProviderRegistry.get_env_var_name("groq")
        'GROQ_API_KEY'
        """
        variables = services.find(name).key_env
        return variables[0] if variables else None


def _keywords(factory: ProviderFactory | None) -> list[str]:
    """Additional keywords that a registered class or function accepts."""
    if factory is None:
        return []
    import inspect

    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return []
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [each.name for each in parameters if each.kind in named][1:]
