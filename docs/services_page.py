"""Write `reference/services.md` from the rows of `services.toml`.

Run ``python docs/services_page.py`` after a change of the rows; a test compares the page with them.
"""

from __future__ import annotations

from pathlib import Path

from allos.providers.catalog import model_limits
from allos.providers.catalog.services import Service, load, retired_models, retired_services

PAGE = Path(__file__).parent / "reference" / "services.md"

_CHECKED = {
    "A": "SDK source or loopback",
    "B": "documentation, two sources",
    "C": "one source",
}

_HEAD = """\
# Services

<!-- Written by docs/services_page.py from allos/providers/catalog/services.toml: change the rows there. -->

A model is named `service/model`, split at the first slash: `groq/openai/gpt-oss-20b`.
Python uses the same names: `ProviderRegistry.get_provider("groq", model="openai/gpt-oss-20b")`.

**Base URL.** `base_url=` takes precedence, then the variable `<NAME>_BASE_URL` (`GROQ_BASE_URL`), then the
URL below. `{NAME}` in a URL is replaced by that environment variable.

**Key.** `api_key=` takes precedence, then the variables below in their order, then a key that was
[set](../guide/keys.md). A key from the environment
is sent only to the service's own base URL or to the host of `<NAME>_BASE_URL`. Any other host that you
pass as `base_url=` gets the key that you pass as `api_key=`, or, on this machine, none.

**API.** The first one is used unless you pass `api=`: `responses` and `chat` are OpenAI's Responses
and Chat Completions, `messages` is Anthropic's Messages.

**Checked** says how the row was verified. No row was tested against the live service, which takes a key
and money. *SDK source or loopback* means read in the vendor's own SDK, or run against a server on
the same machine; *documentation, two sources* means that two or more independent public sources
agree; *one source* is the least certain. If a row is wrong, pass `base_url=` and `api=`.
"""


_KNOWN = """\
## What is known to work, and how it was checked

No row was tested against the live service. Instead:

- **On loopback.** The contract suite sends what each row sends to a scripted server on the same machine
  with its API: a plain question, a stream with reasoning, a tool call, structured output, the
  list of models, the key (`tests/contract/test_services.py`; for `local` the real model,
  `tests/model`). It shows that allos implements the API, not that the service does.
- **By documentation.** *doc* below marks what the service's public documentation, or its
  SDK, says it does differently; `tests/contract/test_profiles.py` shows the body that is sent.
- **Not verified.** *?* marks what is sent as OpenAI or Anthropic document it, on the assumption that a
  compatible service accepts it. If it does not, its error says so, and you can pass other fields as `extra=`.

`effort` lists the values that are translated for the service; others are left out with a warning. *Tags* says whether
reasoning is also looked for in the text (`<think>`, `[THINK]`, channels ...), as some of the service's models write it. *Prices* says whether
genai-prices has a table for the service; OpenRouter, xAI, Perplexity and the LiteLLM proxy report the cost
themselves. *Facts* is the number of models whose context window allos knows without a request (data of {as_of});
*asked* means that `get_context_window(refresh=True)` and `list_models()` can request it from the service.
"""


_ERRORS = """\
## What the services say when a call fails

An error is read from its code and type, then from its details, the headers, its words, and last from the
HTTP status. From public documentation and reports, as of 2026-11:

| service | shape of an error | the wait is given in |
| --- | --- | --- |
| `openai` | `{error: {message, type, code, param}}`; in streams `error` and `response.failed` | `retry-after`, `x-ratelimit-reset-requests` and `-tokens` (`6m0s`), the message |
| `anthropic` | `{type: error, error: {type, message}}`, in streams as well; an empty account is a 400 | `retry-after`, `anthropic-ratelimit-*-reset` (RFC 3339) |
| `groq` | as `openai`; every rate limit links to the billing page; 498: no capacity; `failed_generation`: what the model wrote | `retry-after`, `x-ratelimit-reset-*` (`7.66s`), the message |
| `gemini` | a list of `{error: {code, message, status, details}}`; a wrong key is a 400 with `API_KEY_INVALID`; every rate limit speaks of billing | `details`: `RetryInfo.retryDelay` (`3s`); `QuotaFailure.quotaId` names the minute or the day |
| `xai` | `{code, error}`, the second one a string; a wrong key is a 400, no credit a 403 | `retry-after` |
| `openrouter` | `{error: {code, message, metadata}}` with the HTTP status as the code, also under status 200; `metadata.raw` is what the service behind it said; moderation is a 403 | `metadata.headers`: `X-RateLimit-Reset` (milliseconds since 1970) |
| `azure` | as `openai`, with `innererror.code`; the content filter is a 400; a firewall a 403 | `retry-after`, `retry-after-ms`, the message |
| `mistral` | `{object: error, message, type, code}`, or `{detail: [...]}` | `retry-after`, `ratelimit-reset` |
| `cerebras` | `{message, type, param, code}` | `x-ratelimit-reset-tokens-minute`, `-requests-day` (seconds) |
| `together`, `fireworks`, `deepseek`, `moonshot` | as `openai`; no credit: 402, at Moonshot `exceeded_current_quota_error` in a 429 | `retry-after`, `x-ratelimit-reset` |
| `cohere`, `huggingface` | `{message}`, `{error: "..."}`; a model that is loading: 503 | `estimated_time` |
| `dashscope`, `minimax` | `{code, message}` with codes such as `Arrearage`, `InvalidApiKey`; `base_resp` under status 200 | – |
| `nvidia`, `vllm`, `litellm`, `tgi` | `{title, detail}`, `{object: error, message}`, `{error}`, `{detail}`, plain text | `retry-after` |
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
        _KNOWN.replace("{as_of}", model_limits.as_of()) + "\n" + _known_table(services),
        _ERRORS,
        "## Shut down\n\n"
        + "".join(f"- `{name}`: {why}\n" for name, why in retired_services().items())
        + "".join(map(_gone, load())),
    ]
    return "\n".join(parts)


def _table(services: list[Service]) -> str:
    head = "| service | base URL | key variables | API | checked | note |\n"
    return head + "| --- | --- | --- | --- | --- | --- |\n" + "".join(map(_row, services))


def _row(service: Service) -> str:
    address = f"`{service.base_url}`" if service.base_url else "–"
    cells = [
        _codes((service.name, *service.aliases)),
        " or ".join([address, *(f"`{name}`" for name in service.host_env)]),
        _key(service),
        ", ".join(service.supported_apis),
        f"{_CHECKED[service.mark]}, {service.as_of}",
        _note(service),
    ]
    return f"| {' | '.join(cells)} |\n"


def _known_table(services: list[Service]) -> str:
    head = "| service | on loopback | tools | schemas | effort | tags | prices | facts |\n"
    rows = "".join(f"| {' | '.join(_known(service))} |\n" for service in services)
    return head + "| --- | --- | --- | --- | --- | --- | --- | --- |\n" + rows


def _known(service: Service) -> list[str]:
    profile = service.profile
    # OpenAI's and Anthropic's own APIs are what the others are compatible with.
    home = service.sdk_home is not None or service.embedded
    some = next((m.tool_choice for m in profile.models if m.tool_choice), {})
    choice = profile.tool_choice or some
    words = [
        f"`{ours}` {f'as `{theirs}`' if theirs else 'not supported'}"
        for ours, theirs in choice.items()
    ]
    words += ["with some models"] if words and not profile.tool_choice else []
    words += [] if profile.strict_tools else ["no `strict`"]
    words += ["images go back"] if profile.takes_images_back else []
    part = next((m for m in profile.models if m.effort), None)
    efforts = profile.effort or (part.effort if part else {})
    words_sent = tuple("any value" if word == "*" else word for word in efforts)
    of = f" for `{part.match}`" if part and not profile.effort else ""
    asked = service.list_models or bool(service.window_probe) or service.embedded
    known = len(model_limits.names(service.name))
    return [
        f"`{service.name}`",
        ", ".join(service.supported_apis),
        ", ".join(words) + " (doc)" if words else _sure(home),
        f"`{profile.schema_support}` " + _sure(home or profile.schema_support != "json_schema"),
        _codes(words_sent) + f"{of} (doc)" if efforts else _sure(home and not service.embedded),
        "yes" if profile.think_tags else "–",
        "yes" if service.price_id else "–",
        " + ".join(([f"{known}"] if known else []) + (["asked"] if asked else [])) or "–",
    ]


def _sure(known: bool) -> str:
    return "doc" if known else "?"


def _codes(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _key(service: Service) -> str:
    variables = _codes(service.key_env) or "–"
    return f"{variables} ([get one]({service.key_page}))" if service.key_page else variables


def _note(service: Service) -> str:
    required = "Key required. " if service.local and service.key_required else ""
    return (required + service.note).replace("<", "&lt;").replace("*", r"\*").strip()


def _gone(service: str) -> str:
    """Line for the models of a service whose end is known."""
    models = retired_models(service)
    if not models:
        return ""
    days = sorted({str(fate.on) for fate in models.values() if fate.on is not None})
    span = f" ({' to '.join(dict.fromkeys((days[0], days[-1])))})" if days else ""
    count = f"{len(models)} models" if len(models) > 1 else f"`{next(iter(models))}`"
    return f"- {count} of `{service}`{span}: the error for one that is gone says so.\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
