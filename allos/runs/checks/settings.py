"""Default model, budget, and whether answers are replayed."""

from __future__ import annotations

from collections.abc import Iterator

from allos.errors import ConfigurationError
from allos.providers.catalog import services
from allos.runs.finding import Finding


def settings(online: bool) -> Iterator[Finding]:
    """Default model, budget, and whether answers are replayed."""
    from allos.session import current_session

    session = current_session()

    model = session.model_name(None)
    known = session.settings.values()
    why = known["model"].source if "model" in known else "not configured"
    try:
        services.find(services.split_model_name(model).provider)
        yield Finding("settings", "ok", f"The default model is {model} ({why}).")
    except ConfigurationError as exc:
        yield Finding("settings", "problem", f"The default model ({why}): {exc}")
    for name, value in known.items():
        if name != "model":
            yield Finding("settings", "ok", f"{name} = {value.value} ({value.source}).")
    for each in session.budgets.in_force():
        yield Finding("settings", "ok", f"{str(each).strip('<>')}.")
    if not session.budgets.in_force():
        yield Finding("settings", "ok", "No budget is set.")
    if session.replay is not None:
        yield Finding(
            "settings", "note", "Recorded answers are replayed before a service is called."
        )
