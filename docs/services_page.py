"""Write `reference/services.md` from the rows of `services.toml`.

Run ``python docs/services_page.py`` after a change of the rows; a test compares the page with them.
"""

from __future__ import annotations

from pathlib import Path

from allos.providers.services import Service, load, retired

PAGE = Path(__file__).parent / "reference" / "services.md"

_CHECKED = {
    "A": "SDK source or loopback",
    "B": "documentation, two sources",
    "C": "one source",
}

_HEAD = """\
# Services

<!-- Written by docs/services_page.py from allos/providers/services.toml: change the rows there. -->

A model is named `service/model`, split at the first slash: `groq/openai/gpt-oss-20b`.
Python uses the same names: `ProviderRegistry.get_provider("groq", model="openai/gpt-oss-20b")`.

**Address.** `base_url=` goes first, then the variable `<NAME>_BASE_URL` (`GROQ_BASE_URL`), then the
address below. `{NAME}` in an address is filled in from the environment.

**Key.** `api_key=` goes first, then the variables below in their order. A key from the environment
goes only to the service's own address or to the host of `<NAME>_BASE_URL`. Any other host that you
name by `base_url=` gets the key that you pass as `api_key=`, or, on this machine, none.

**API.** The first one is spoken unless you pass `api=`: `responses` and `chat` are OpenAI's Responses
and Chat Completions, `messages` is Anthropic's Messages.

**Checked** says what the row rests on. No row was tried against the live service: that takes a key
and money. *SDK source or loopback* means read in the vendor's own SDK, or run against a server on
the same machine; *documentation, two sources* means that two or more independent public sources
agree; *one source* means just that, so look twice. When a row is wrong, `base_url=` and `api=`
correct it at once.
"""


def page() -> str:
    """Return the page's text."""
    services = list(load().values())
    built_in = [s for s in services if s.embedded or s.generic]
    local = [s for s in services if s.local and s not in built_in]
    hosted = [s for s in services if s not in built_in and s not in local]
    parts = [
        _HEAD,
        "## Built in\n\n" + _table(built_in),
        "## Hosted\n\n" + _table(hosted),
        "## On your own machine or network\n\nA key is optional unless the note says otherwise.\n\n"
        + _table(local),
        "## Gone\n\n" + "".join(f"- `{name}`: {why}\n" for name, why in retired().items()),
    ]
    return "\n".join(parts)


def _table(services: list[Service]) -> str:
    head = "| service | address | key variables | API | checked | note |\n"
    return head + "| --- | --- | --- | --- | --- | --- |\n" + "".join(map(_row, services))


def _row(service: Service) -> str:
    address = f"`{service.base_url}`" if service.base_url else "–"
    cells = [
        _codes((service.name, *service.aliases)),
        " or ".join([address, *(f"`{name}`" for name in service.host_env)]),
        _codes(service.key_env) or "–",
        ", ".join(service.speaks),
        f"{_CHECKED[service.mark]}, {service.as_of}",
        _note(service),
    ]
    return f"| {' | '.join(cells)} |\n"


def _codes(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _note(service: Service) -> str:
    required = "Key required. " if service.local and service.key_required else ""
    return (required + service.note).replace("<", "&lt;").replace("*", r"\*").strip()


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
