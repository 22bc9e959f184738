"""Where each key is found, and which keyring is used."""

from __future__ import annotations

from collections.abc import Iterator

from allos.errors import ConfigurationError
from allos.providers.auth import colab_secrets, endpoints, key_store
from allos.runs.checks.in_time import in_time
from allos.runs.checks.services import hosted_services
from allos.runs.finding import Finding

_KEYRING_S = 0.5
"""Timeout for the keyring: a locked one blocks until the user unlocks it."""


def keys(online: bool) -> Iterator[Finding]:
    """Where each key is found, and which keyring is used."""
    env = key_store.Environment()
    keyring_state = in_time(lambda: (_stored_keys(), key_store.keyring_backend()), _KEYRING_S)
    stored = keyring_state[0] if keyring_state is not None else {}
    found = False
    for service in hosted_services():
        source: str | None = None
        try:
            endpoint = endpoints.resolve(service, env=env)
            if not endpoint.placeholder:
                source = endpoint.key_source
        except ConfigurationError as exc:
            if "The key in" in str(exc):
                yield Finding("keys", "problem", f"{service.name}: {exc}")
        source = source or stored.get(service.name)
        if source is not None:
            found = True
            yield Finding("keys", "ok", f"{service.name}: found in {_describe_source(source)}.")
        for name in service.key_env:
            if name in env and not env[name].strip():
                yield Finding(
                    "keys", "note", f"{name} is set, but empty.", "Unset it or set it to a key."
                )
    if colab_secrets.is_available():
        yield Finding("keys", "note", "Colab's secrets are read when a service is called.")
    if not found:
        yield Finding("keys", "note", "No API key was found.", "Set one with %allos key PROVIDER.")
    if keyring_state is None:
        yield Finding(
            "keys",
            "note",
            f"The keyring did not respond within {_KEYRING_S:g} s.",
            "Unlock it, or set the key as an environment variable.",
        )
        return
    ring, error = keyring_state[1]
    if ring is not None:
        yield Finding("keys", "ok", f"Keyring: {ring}.")
    else:
        message = f"No keyring: {error or 'the package is not installed'}."
        install = "" if error else " pip install 'allos-jupyter[keyring]' adds one."
        yield Finding(
            "keys",
            "note",
            message,
            f"Keys set with %allos key are lost when the process ends.{install}",
        )


def _stored_keys() -> dict[str, str]:
    """Sources of keys that are not in the environment, by service."""
    return {
        s.name: source for s in hosted_services() if (source := key_store.source_of(s)) is not None
    }


def _describe_source(source: str) -> str:
    words = {
        "process": "this process (%allos key)",
        "keyring": "the keyring",
        "colab": "Colab's secrets",
    }
    return words.get(source, source)
