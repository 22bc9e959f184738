"""The same gateway, which wants to know which team asks."""

from __future__ import annotations

from typing import Any

from allos.providers import Provider, Service, register


@register(
    "echo_team",
    base_url="https://echo.example/v1",
    api="chat",
    key_env=["ECHO_API_KEY"],
    profile={"unsupported": ["seed"]},
)
class TeamProvider(Provider):
    """One model of the gateway, asked in the name of a team."""

    def __init__(self, service: Service, *, team: str = "nobody", **options: Any) -> None:
        headers = {"x-team": team, **(options.pop("headers", None) or {})}
        super().__init__(service, headers=headers, **options)
