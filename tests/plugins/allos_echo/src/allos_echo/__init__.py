"""A gateway of our own, as a provider for allos."""

from __future__ import annotations

from allos.providers import Service

SERVICE = Service(
    name="echo",
    base_url="https://echo.example/v1",
    api="chat",
    key_env=("ECHO_API_KEY",),
    note="Says what you said",
)
