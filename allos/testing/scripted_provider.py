"""A provider whose answers come from a script, and names for scripts."""

from __future__ import annotations

from typing import Any

from allos.providers import Provider, Service
from allos.providers.catalog import services
from allos.request import Request
from allos.testing.script import Script, ScriptLike
from allos.testing.scripted_wire import ScriptedWire


class ScriptedProvider(Provider):
    """A model whose answers come from a script; can be used wherever a model can.

    Parameters
    ----------
    script : str, Answer, ProviderError, iterable of those, callable or Script
        The answers, see `Script`.
    model, name : str
        Its name in responses, tables and the log: ``name/model``.
    price_id : str or None
        A service in genai-prices (``"openai"``) whose price for `model` is used, for tests of costs
        and budgets; None: costs are unknown, unless an answer states them.
    **options
        As in `Provider`: `max_attempts`, `deadline_s`, `max_in_flight`, `temperature` ...

    Examples
    --------
    >>> import allos
    >>> from allos.testing import ScriptedProvider
    >>> models = [ScriptedProvider("Yes.", model="a"), ScriptedProvider("No.", model="b")]
    >>> run = allos.compare("Is it?", models=models).wait(timeout_s=10)
    >>> [response.content for response in run.responses]
    ['Yes.', 'No.']
    """

    def __init__(
        self,
        script: ScriptLike | Script,
        *,
        model: str = "scripted",
        name: str = "scripted",
        price_id: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(_row(name, price_id), model=model, **options)
        self.script = script if isinstance(script, Script) else Script(script)
        self._wire = ScriptedWire(self.script)

    @property
    def requests(self) -> list[Request]:
        """All requests, in order, retries included."""
        return self.script.requests


def register(name: str, script: ScriptLike | Script) -> Script:
    """Register a script under a name: ``name/anything`` is a model from then on.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and ``_``. A name that was registered here is replaced.
    script : str, Answer, ProviderError, iterable of those, callable or Script
        The answers of its models; they share it.

    Returns
    -------
    Script
        Its `requests` are those of all models of that name.

    Raises
    ------
    ConfigurationError
        The name is reserved, or that of another service.

    Examples
    --------
    >>> import allos
    >>> from allos.testing import register, unregister
    >>> script = register("mock", lambda request: f"I am {request.model}.")
    >>> allos.ask("Who are you?", model="mock/large").content
    'I am large.'
    >>> len(script.requests)
    1
    >>> unregister("mock")
    """
    shared = script if isinstance(script, Script) else Script(script)

    def build(service: Service, **options: Any) -> ScriptedProvider:
        return ScriptedProvider(shared, name=service.name, **options)

    services.add(_row(name), origin=__name__, factory=build)
    return shared


def unregister(name: str) -> None:
    """Remove a name that was registered here."""
    services.remove(name)


def _row(name: str, price_id: str | None = None) -> Service:
    return Service(
        name=name,
        base_url=f"http://{name}.localhost",  # each name is a host, so limits are not shared
        api="scripted",
        key_required=False,
        local=True,
        price_id=price_id,
    )
