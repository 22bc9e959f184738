from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from allos import wire
from allos.errors import ConfigurationError
from allos.profiles import ServiceProfile
from allos.providers.catalog import services
from allos.wire.parameters import EFFORTS, VOCABULARY, model_profile

ROOT = Path(__file__).parents[4]
ROWS = list(services.load().values())
HOSTED = [row for row in ROWS if not row.local and row.base_url]
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def row_ids(row: services.Service) -> str:
    return row.name


@pytest.mark.parametrize("row", ROWS, ids=row_ids)
def test_row_is_well_formed(row: services.Service) -> None:
    """Names, variables, APIs, marks and dates of a row have the shape that others rely on."""
    variables = [*row.key_env, *row.base_url_env, *row.host_env]

    assert re.fullmatch(r"[a-z][a-z0-9_]*", row.name)
    assert all(VARIABLE.fullmatch(name) for name in variables)
    assert len(set(variables)) == len(variables)
    assert set(row.supported_apis) <= set(wire.names())
    counters = [wire.get(api).token_counters for api in row.supported_apis]
    assert row.counts is None or any(row.counts in known for known in counters)
    assert len(set(row.supported_apis)) == len(row.supported_apis)
    assert row.mark in ("A", "B", "C")
    assert re.fullmatch(r"20\d\d-\d\d", row.as_of)
    assert not row.key_required or row.key_env
    assert "\n" not in row.note
    assert not row.note.endswith(".")
    assert not row.key_page or urlsplit(row.key_page).scheme == "https"
    assert bool(row.key_page) <= row.key_required
    assert row.max_in_flight is None or row.max_in_flight > 0


@pytest.mark.parametrize("row", [row for row in ROWS if row.base_url], ids=row_ids)
def test_address_is_encrypted_unless_local(row: services.Service) -> None:
    """Hosted services are reached by https and need a key; local ones are on loopback."""
    url = re.sub(r"^\{\w+\}", "https://resource.example", row.base_url)
    parts = urlsplit(re.sub(r"\{\w+\}", "x", url))

    assert parts.scheme == ("http" if row.local else "https")
    assert (parts.hostname in ("localhost", "127.0.0.1")) == row.local
    assert row.local or row.key_required
    assert not row.base_url.endswith("/")
    assert not parts.query
    assert not parts.username


@pytest.mark.parametrize("row", ROWS, ids=row_ids)
def test_quirks_use_the_vocabulary(row: services.Service) -> None:
    """A quirk names parameters that exist, and model patterns that compile."""
    beyond = {"top_k", "parallel_tool_calls", "service_tier"}
    named = {*row.profile.unsupported, *row.profile.rename}
    efforts = set(row.profile.effort)
    for model in row.profile.models:
        re.compile(model.match)
        named |= set(model.unsupported)
        efforts |= set(model.effort)

    assert named <= {*VOCABULARY, *beyond}
    assert efforts <= {*EFFORTS, "*"}


@pytest.mark.parametrize("row", ROWS, ids=row_ids)
def test_price_id_is_one_of_genai_prices(row: services.Service) -> None:
    """Each price id exists in the price data and is meant for the row's own address."""
    from genai_prices.data_snapshot import get_snapshot

    known = {provider.id: provider.api_pattern for provider in get_snapshot().providers}
    if row.price_id is None:
        return

    assert row.price_id in known
    # Together's older host is the one that the price data knows.
    if "{" not in row.base_url and row.name != "together":
        assert re.match(known[row.price_id], row.base_url)


def test_no_key_variable_of_one_vendor_belongs_to_another() -> None:
    """No variable serves two hosted services, and the big vendors' keys serve only them."""
    hosted = [name for row in HOSTED for name in row.key_env]
    self_hosted = [name for row in ROWS if row not in HOSTED for name in row.key_env]

    assert len(set(hosted)) == len(hosted)
    assert set(hosted) & set(self_hosted) == {"HF_TOKEN"}  # Hugging Face's own server
    assert [row.name for row in ROWS if "OPENAI_API_KEY" in row.key_env] == ["openai"]
    assert [row.name for row in ROWS if "ANTHROPIC_API_KEY" in row.key_env] == ["anthropic"]


def test_sdk_settings_of_a_vendor_apply_to_that_vendor_only() -> None:
    """The SDKs' organisation and custom headers belong to the two vendors that make them."""
    homes = {row.name: row.sdk_home for row in ROWS if row.sdk_home is not None}

    assert homes == {"openai": "openai", "anthropic": "anthropic"}


def test_every_known_service_has_a_row() -> None:
    """The first tier, the second and the local servers are all there, by their usual names."""
    wanted = (
        "openai anthropic groq together mistral deepseek fireworks openrouter perplexity xai cerebras "
        "sambanova nvidia gemini huggingface moonshot zai dashscope minimax cohere azure cloudflare "
        "vercel databricks deepinfra nebius novita siliconflow baseten scaleway ovhcloud meta inception "
        "portkey requesty poe wandb ollama_cloud ollama ollama_compat lmstudio vllm sglang llamacpp "
        "llamafile localai tgi litellm jan docker_model_runner chat_completions local "
    )

    assert services.names() == sorted(wanted.split())


@pytest.mark.parametrize(
    ("name", "model", "field", "unsupported"),
    [
        ("openai", "gpt-4o", "max_tokens", ()),
        ("openai", "gpt-4.1-mini", "max_tokens", ()),
        ("openai", "gpt-oss-20b", "max_tokens", ()),
        ("openai", "o3-mini", "max_completion_tokens", ("temperature", "logprobs")),
        ("openai", "gpt-5", "max_completion_tokens", ("temperature", "top_p")),
        ("openai", "gpt-6.2-astra", "max_completion_tokens", ("presence_penalty",)),
        ("openai", "gpt-10", "max_completion_tokens", ("frequency_penalty",)),
        ("openai", "ft:o4-mini:me::1", "max_completion_tokens", ("top_logprobs",)),
        ("azure", "gpt-5-mini", "max_completion_tokens", ("temperature",)),
        ("azure", "my-deployment", "max_tokens", ()),
        ("xai", "grok-3", "max_tokens", ()),
        ("xai", "grok-4-fast-non-reasoning", "max_tokens", ()),
        ("xai", "grok-4.5", "max_tokens", ("stop", "presence_penalty", "frequency_penalty")),
        ("xai", "grok-3-mini", "max_tokens", ("stop",)),
        ("moonshot", "moonshot-v1-8k", "max_tokens", ()),
        ("moonshot", "kimi-k3", "max_tokens", ("temperature",)),
        ("groq", "llama-3.1-8b-instant", "max_tokens", ("logprobs", "top_logprobs", "logit_bias")),
        ("cerebras", "gpt-oss-120b", "max_tokens", ("presence_penalty", "frequency_penalty")),
        ("anthropic", "claude-haiku-4-5", "max_tokens", ("temperature", "top_p", "top_k", "seed")),
        ("mistral", "mistral-large-latest", "max_tokens", ()),
        ("nvidia", "openai/gpt-5", "max_tokens", ()),
    ],
)
def test_quirks_of_a_model(name: str, model: str, field: str, unsupported: tuple[str, ...]) -> None:
    """The model's own pattern decides what the token limit is called and what is not sent."""
    profile = services.find(name).profile
    of_model = model_profile(profile, model)
    refused = {*profile.unsupported, *(of_model.unsupported if of_model else ())}

    assert ((of_model and of_model.max_tokens_name) or profile.max_tokens_name) == field
    assert set(unsupported) <= refused
    assert unsupported or not refused


def test_quirks_of_services() -> None:
    """Stream options, renames and think tags are data of the row."""
    without = {row.name for row in ROWS if not row.profile.stream_options}

    assert without == {"cohere", "mistral"}
    assert services.find("mistral").profile.rename == {"seed": "random_seed"}
    with_tags = {row.name for row in ROWS if row.profile.think_tags}
    assert {"minimax", "sambanova", "llamafile", "groq", "mistral", "gemini", "local"} <= with_tags
    assert with_tags.isdisjoint({"openai", "anthropic", "xai", "deepseek", "moonshot", "zai"})
    assert services.find("together").profile == ServiceProfile(store=False, think_tags=True)


def test_tool_and_schema_quirks_of_services() -> None:
    """What a service makes of tools and schemas is data of the row."""
    known = {"auto", "none", "required", "named"}

    assert services.find("mistral").profile.tool_choice == {"required": "any"}
    assert services.find("mistral").profile.tool_id_length == 9
    assert {row.name for row in ROWS if not row.profile.strict_tools} == {
        *("deepseek", "moonshot", "ollama", "xai", "zai")
    }
    assert {row.name for row in ROWS if row.profile.schema_support != "json_schema"} == {
        *("deepseek", "moonshot", "zai")
    }
    for row in ROWS:
        for profile in (row.profile, *row.profile.models):
            assert set(profile.tool_choice) <= known
            assert profile.schema_support in ("json_schema", "json_object", "prompt", None)


@pytest.mark.parametrize(
    ("name", "model", "forced"),
    [
        ("deepseek", "deepseek-chat", True),
        ("deepseek", "deepseek-reasoner", False),
        ("deepseek", "deepseek-v4-pro", False),
        ("moonshot", "kimi-k3", True),
        ("moonshot", "kimi-k2-thinking", False),
        ("moonshot", "moonshot-v1-8k", True),
        ("groq", "openai/gpt-oss-20b", True),
    ],
)
def test_models_without_forced_tool_calls(name: str, model: str, forced: bool) -> None:
    """`tool_choice="required"` is not sent to models that refuse it."""
    of_model = model_profile(services.find(name).profile, model)

    assert ((of_model.tool_choice if of_model else {}).get("required") != "") is forced


@pytest.mark.parametrize("name", ["openai", "anthropic", "xai", "deepseek"])
def test_another_host_may_write_think_tags(name: str) -> None:
    """A service that writes no tags itself has them watched for where another server stands in for it."""
    service = services.find(name)
    elsewhere = service.profile_for("http://127.0.0.1:8000/v1")

    assert service.profile_for(service.base_url) is service.profile
    assert service.profile_for("") is service.profile
    assert elsewhere == replace(service.profile, think_tags=True)


def test_find_takes_names_and_aliases() -> None:
    """An alias gives the same row as the name, with a variable of its own for the address."""
    ollama = services.find("ollama")

    assert services.find("ollama_compat") is ollama
    assert ollama.base_url_env == ("OLLAMA_BASE_URL", "OLLAMA_COMPAT_BASE_URL")
    assert services.find("azure").base_url_env == ("AZURE_BASE_URL", "AZURE_OPENAI_BASE_URL")
    assert services.find("local").base_url_env == ()
    assert services.find("local").embedded
    assert services.find("chat_completions").generic
    assert not services.find("local").generic


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("grok", "groq"),
        ("Groq", "groq"),
        ("chat-completions", "chat_completions"),
        ("opnai", "openai"),
    ],
)
def test_unknown_name_offers_the_closest(typed: str, offered: str) -> None:
    """A mistyped name gives one line with the close match, how many there are and where."""
    with pytest.raises(ConfigurationError) as caught:
        services.find(typed)
    text = str(caught.value)

    assert text.startswith(f"Unknown provider {typed!r}. Did you mean {offered!r}?")
    assert f"%allos providers lists all {len(services.all_services())}." in text
    assert "\n" not in text


def test_a_name_like_no_other_offers_nothing() -> None:
    """Without a close match none is made up."""
    with pytest.raises(ConfigurationError) as caught:
        services.find("zzz")

    assert "Did you mean" not in str(caught.value)


def test_retired_service_says_why() -> None:
    """GitHub Models is not a name any more, and asking for it explains that."""
    with pytest.raises(ConfigurationError, match=r"2026-07-30.*HTTP 410"):
        services.find("github")

    assert "github" not in services.names()


@pytest.mark.parametrize(
    ("text", "provider", "model"),
    [
        ("groq/llama-3.1-8b-instant", "groq", "llama-3.1-8b-instant"),
        ("together/meta-llama/Llama-3-70b-chat-hf", "together", "meta-llama/Llama-3-70b-chat-hf"),
        ("cloudflare/@cf/meta/llama", "cloudflare", "@cf/meta/llama"),
        (" groq / x ", "groq", "x"),
        ("groq", "groq", None),
        ("groq/", "groq", None),
    ],
)
def test_split_at_the_first_slash(text: str, provider: str, model: str | None) -> None:
    """Only the first slash counts; without a model there is None."""
    assert services.split_model_name(text) == (provider, model)


@pytest.mark.parametrize("text", ["", "/x", " /x"])
def test_split_needs_a_provider(text: str) -> None:
    """A name without a provider is an error that shows the right form."""
    with pytest.raises(ConfigurationError, match="provider/model"):
        services.split_model_name(text)


ROW = {"base_url": "https://x.example/v1", "key_env": ["X_API_KEY"], "api": "chat", "mark": "C"}


@pytest.mark.parametrize(
    "table",
    [
        {"doctor": ROW},
        {"fine": {**ROW, "aliases": ["stop"]}},
        {"one": {**ROW, "aliases": ["two"]}, "two": ROW},
        {"gone": ROW},
    ],
)
def test_reserved_or_duplicate_names_are_refused(table: dict[str, object]) -> None:
    """No row can shadow a sub-command, another row or a retired service."""
    with pytest.raises(ConfigurationError):
        services._parse({"as_of": "2026-11", "services": table, "retired": {"gone": "Gone."}})


def test_no_known_name_is_reserved() -> None:
    """The sub-commands of ``%allos`` and the services' names do not meet."""
    assert not services.RESERVED & set(services.names())
    assert "compare" in services.RESERVED


def test_an_unknown_field_is_an_error() -> None:
    """A field that is misspelt in the file does not pass in silence."""
    with pytest.raises(TypeError, match="key_envs"):
        services._service("x", {**ROW, "key_envs": []}, "2026-11")
    with pytest.raises(TypeError, match="unsuported"):
        services._service("x", {**ROW, "profile": {"unsuported": []}}, "2026-11")


def test_file_explains_every_field() -> None:
    """The head of the file names each field that a row uses."""
    text = (ROOT / "allos/providers/catalog/services.toml").read_text(encoding="utf-8")
    head = text[: text.index("\nas_of")]
    used = {key for row in tomllib.loads(text)["services"].values() for key in row}

    assert not {key for key in used if not re.search(rf"\b{key}\b", head)}


def test_rows_cannot_be_changed() -> None:
    """What `load` gives is read-only, and always the same object."""
    assert services.load() is services.load()
    with pytest.raises(TypeError):
        services.load()["x"] = ROWS[0]  # type: ignore[index]


def test_page_matches_the_rows() -> None:
    """`docs/reference/services.md` is what the rows give, service by service."""
    script = runpy.run_path(str(ROOT / "docs/services_page.py"))
    text = script["page"]()

    assert script["PAGE"].read_text(encoding="utf-8") == text
    assert all(f"| `{row.name}`" in text for row in ROWS)


@pytest.mark.process
def test_import_reads_no_file_and_loads_nothing_heavy() -> None:
    """Importing the module leaves the file unread and tomllib, the SDKs and pandas unloaded."""
    code = (
        "import sys, allos.providers.catalog.services as s;"
        "heavy = {'tomllib', 'openai', 'anthropic', 'pandas', 'asyncio', 'genai_prices'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "assert s._table.cache_info().currsize == 0"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("word", "suggested"),
    [
        ("grok", " Did you mean 'groq'? Grok models are at 'xai'."),
        ("Grok-4", " Grok models are at 'xai'."),
        ("claude", " Claude models are at 'anthropic'."),
        ("claude-haiku-4-5", " Claude models are at 'anthropic'."),
        ("gpt-5-mini", " GPT models are at 'openai'."),
        ("google", " Google models are at 'gemini'."),
        ("llama", " Did you mean 'ollama'? Llama models are at 'meta'."),
        ("anthropik", " Did you mean 'anthropic'?"),
        ("grokking", ""),
        ("nonsense", ""),
    ],
)
def test_a_model_typed_as_a_provider_names_who_has_it(word: str, suggested: str) -> None:
    """A mistyped name, and the name of a model or a vendor, lead to a service."""
    assert services.suggestion(word) == suggested


def test_what_services_are_known_for_is_unambiguous() -> None:
    """No word leads to two services, and none is the name of a service."""
    words = [word.lower() for row in ROWS for word in row.known_for]

    assert len(set(words)) == len(words)
    assert not set(words) & set(services.names())
