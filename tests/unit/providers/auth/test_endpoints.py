from __future__ import annotations

import pytest

from allos import wire
from allos.errors import ConfigurationError, MissingKeyError
from allos.providers.auth.endpoints import (
    PLACEHOLDER,
    Endpoint,
    resolve,
)
from allos.providers.catalog.services import Service, find, load
from allos.secret import Secret

EVERY_KEY = {name: f"key-of-{name}" for row in load().values() for name in row.key_env}
PARTS = {
    "AZURE_OPENAI_ENDPOINT": "https://res.openai.azure.com",
    "CLOUDFLARE_ACCOUNT_ID": "acc1",
    "DATABRICKS_HOST": "dbc-1.cloud.databricks.com",
}
CUSTOM = "https://other.example/v1"
ROWS = [row for row in load().values() if not row.embedded]
NAMED = [row for row in ROWS if row.base_url]


def row_ids(row: Service) -> str:
    return row.name


def key(endpoint: Endpoint) -> str | None:
    return endpoint.api_key.reveal() if endpoint.api_key else None


# ------------------------------------------------------------------ every row


@pytest.mark.parametrize("row", NAMED, ids=row_ids)
def test_own_host_gets_own_first_key(row: Service) -> None:
    """With all keys of the world set, a service gets its own first one at its own address."""
    endpoint = resolve(row, env={**EVERY_KEY, **PARTS})

    assert not endpoint.is_custom_host
    assert endpoint.api == row.api
    if row.key_env:
        assert key(endpoint) == EVERY_KEY[row.key_env[0]]
        assert endpoint.key_source == row.key_env[0]
        assert not endpoint.placeholder
    else:
        assert key(endpoint) == PLACEHOLDER
        assert endpoint.placeholder


@pytest.mark.parametrize("row", ROWS, ids=row_ids)
def test_keys_of_other_services_are_never_used(row: Service) -> None:
    """With every key set but its own, a service that needs one says so and names its variables."""
    others = {name: value for name, value in EVERY_KEY.items() if name not in row.key_env}
    env = {**others, **PARTS, "OPENAI_ADMIN_KEY": "admin", "ANTHROPIC_AUTH_TOKEN": "token"}
    url = CUSTOM if row.generic else None

    if not row.key_required:
        assert key(resolve(row, base_url=url, env=env)) == PLACEHOLDER
        return
    with pytest.raises(MissingKeyError) as caught:
        resolve(row, base_url=url, env=env)

    text = str(caught.value)
    assert "\n" not in text
    assert repr(row.name) in text
    assert all(name in text for name in row.key_env)
    assert "api_key=" in text
    assert "Nothing was sent." in text
    assert not any(value in text for value in env.values() if value.startswith("key-of"))


@pytest.mark.parametrize("row", NAMED, ids=row_ids)
def test_a_custom_host_gets_no_key_of_the_environment(row: Service) -> None:
    """Whatever is set, a remote host named by base_url= gets nothing, a loopback a placeholder."""
    env = {**EVERY_KEY, **PARTS}
    for url in (
        CUSTOM,
        "http://other.example:8000/v1",
        "http://10.1.2.3/v1",
        "http://localhost.other.example/v1",
        "http://127.0.0.1.other.example/v1",
    ):
        if row.key_required:
            with pytest.raises(MissingKeyError, match=f"{row.name.upper()}_BASE_URL"):
                resolve(row, base_url=url, env=env)
        else:
            assert key(resolve(row, base_url=url, env=env)) == PLACEHOLDER, url
    for url in ("http://127.0.0.1:9/v1", "http://localhost:9/v1", "http://[::1]:9/v1"):
        endpoint = resolve(row, base_url=url, env=env)
        assert endpoint.is_custom_host, url
        assert endpoint.placeholder, url
        assert key(endpoint) == PLACEHOLDER, url
        assert endpoint.withheld == (row.key_env[0] if row.key_env else None), url


@pytest.mark.parametrize("row", NAMED, ids=row_ids)
def test_hosts_that_look_alike_are_foreign(row: Service) -> None:
    """Another scheme, port, sub-domain, suffix or spelling of the host is another host."""
    env = {**EVERY_KEY, **PARTS}
    own = resolve(row, env=env).base_url
    scheme, _, rest = own.partition("://")
    host, slash, path = rest.partition("/")
    other = "http" if scheme == "https" else "https"
    for url in (
        f"{other}://{host}{slash}{path}",
        f"{scheme}://{host.partition(':')[0]}:4{slash}{path}",
        f"{scheme}://evil.{host}{slash}{path}",
        f"{scheme}://{host.replace(':', '.evil:') if ':' in host else host + '.evil'}{slash}{path}",
        f"{scheme}://{host.replace(':', '.:') if ':' in host else host + '.'}{slash}{path}",
        f"{scheme}://evil.example/{host}{slash}{path}",
    ):
        try:
            endpoint = resolve(row, base_url=url, env=env)
        except MissingKeyError:
            continue
        assert endpoint.is_custom_host, url
        assert key(endpoint) == PLACEHOLDER, url


@pytest.mark.parametrize("row", NAMED, ids=row_ids)
def test_own_host_named_by_hand_gets_its_key(row: Service) -> None:
    """The row's host counts, not its path; letter case and the default port do not matter."""
    env = {**EVERY_KEY, **PARTS}
    own = resolve(row, env=env)
    scheme, _, rest = own.base_url.partition("://")
    host = rest.partition("/")[0]
    port = "" if ":" in host else ":443"
    for url in (own.base_url, f"{scheme}://{host.upper()}{port}/other/"):
        assert resolve(row, base_url=url, env=env).key_source == own.key_source


@pytest.mark.parametrize("row", ROWS, ids=row_ids)
def test_address_variable_takes_the_key_along(row: Service) -> None:
    """<NAME>_BASE_URL moves the service, key included, and its host may be named by hand too."""
    env = {**EVERY_KEY, **PARTS, row.base_url_env[0]: "https://proxy.example/x/v1/"}
    moved = resolve(row, env=env)
    by_hand = resolve(row, base_url="https://proxy.example/y/v1", env=env)

    assert moved.base_url == wire.get(row.api).base_url("https://proxy.example/x/v1")
    assert not moved.is_custom_host
    assert not by_hand.is_custom_host
    assert moved.api == by_hand.api == row.api
    assert moved.key_source == by_hand.key_source == (row.key_env or ("placeholder",))[0]


@pytest.mark.parametrize("row", [row for row in NAMED if row.key_required], ids=row_ids)
def test_a_required_key_is_required_behind_the_variable(row: Service) -> None:
    """<NAME>_BASE_URL on loopback does not waive the key: it is the same service on another host."""
    with pytest.raises(MissingKeyError):
        resolve(row, env={row.base_url_env[0]: "http://127.0.0.1:9/v1"})


@pytest.mark.parametrize("row", ROWS, ids=row_ids)
def test_a_key_that_was_passed_goes_anywhere(row: Service) -> None:
    """api_key= is the caller's own decision, on a foreign host and before every variable."""
    env = {**EVERY_KEY, **PARTS}
    abroad = resolve(row, base_url=CUSTOM, api_key="mine", env=env)

    assert key(abroad) == "mine"
    assert abroad.key_source == "argument"
    assert abroad.withheld is None
    if not row.generic:
        assert key(resolve(row, api_key=Secret("mine"), env=env)) == "mine"


# ------------------------------------------------------------------ the seed page


def test_seed_page_custom_server() -> None:
    """The generic provider takes a key by argument, by its variable, or none on this machine."""
    url = "http://localhost:8000/v1"
    row = find("chat_completions")

    given = resolve(row, base_url=url, api_key="sk-internal-key", env={})
    assert (given.base_url, given.api, key(given)) == (url, "chat", "sk-internal-key")
    named = resolve(row, base_url=url, env={"CHAT_COMPLETIONS_API_KEY": "k-env"})
    assert (key(named), named.key_source) == ("k-env", "CHAT_COMPLETIONS_API_KEY")
    assert resolve(row, base_url=url, env={}).placeholder


@pytest.mark.parametrize("env", [{}, {"OPENAI_API_KEY": "sk-real"}])
def test_seed_page_local_openai(env: dict[str, str]) -> None:
    """`openai` on a local server needs no key, sends none, and speaks Chat Completions."""
    endpoint = resolve(find("openai"), base_url="http://localhost:8080/v1", env=env)

    assert endpoint.api == "chat"
    assert endpoint.is_custom_host
    assert key(endpoint) == PLACEHOLDER


# ------------------------------------------------------------------ the generic provider


def test_generic_key_is_bound_to_its_variable_host() -> None:
    """With CHAT_COMPLETIONS_BASE_URL set, its key goes to that host and to no other."""
    row = find("chat_completions")
    env = {
        "CHAT_COMPLETIONS_API_KEY": "k-env",
        "CHAT_COMPLETIONS_BASE_URL": "https://mine.example/v1",
    }

    assert key(resolve(row, env=env)) == "k-env"
    assert key(resolve(row, base_url="https://MINE.example/other", env=env)) == "k-env"
    with pytest.raises(MissingKeyError, match="CHAT_COMPLETIONS_BASE_URL"):
        resolve(row, base_url=CUSTOM, env=env)
    here = resolve(row, base_url="http://localhost:8000/v1", env=env)
    assert (key(here), here.withheld) == (PLACEHOLDER, "CHAT_COMPLETIONS_API_KEY")


def test_generic_key_goes_where_the_caller_says_when_it_is_unbound() -> None:
    """Without CHAT_COMPLETIONS_BASE_URL the key is for whatever address is named."""
    env = {"CHAT_COMPLETIONS_API_KEY": "k-env", "OPENAI_API_KEY": "sk-real"}

    assert key(resolve(find("chat_completions"), base_url=CUSTOM, env=env)) == "k-env"


def test_generic_needs_an_address() -> None:
    """Without an address there is one line that says how to give one."""
    with pytest.raises(ConfigurationError, match=r"base_url=, or set CHAT_COMPLETIONS_BASE_URL"):
        resolve(find("chat_completions"), env=EVERY_KEY)


# ------------------------------------------------------------------ APIs


@pytest.mark.parametrize(
    ("name", "base_url", "api", "expected"),
    [
        ("openai", None, None, "responses"),
        ("openai", None, "chat", "chat"),
        ("openai", "https://api.openai.com/v1", None, "responses"),
        ("openai", CUSTOM, None, "chat"),
        ("openai", CUSTOM, "responses", "responses"),
        ("openai", CUSTOM, "messages", "messages"),
        ("groq", None, "responses", "responses"),
        ("anthropic", CUSTOM, None, "messages"),
        ("xai", CUSTOM, None, "responses"),
        ("vllm", None, "messages", "messages"),
        ("chat_completions", CUSTOM, "responses", "responses"),
    ],
)
def test_which_api_is_spoken(
    name: str, base_url: str | None, api: str | None, expected: str
) -> None:
    """The row decides, a foreign host may decide otherwise, and api= has the last word."""
    endpoint = resolve(find(name), base_url=base_url, api_key="k", api=api, env={})

    assert endpoint.api == expected


def test_openai_moved_by_its_variable_stays_on_responses() -> None:
    """OPENAI_BASE_URL is the same service on another host, so its API stays."""
    env = {"OPENAI_API_KEY": "sk-real", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}

    assert resolve(find("openai"), env=env).api == "responses"


@pytest.mark.parametrize(
    ("name", "api", "words"),
    [
        ("groq", "messages", "'groq' supports 'chat' and 'responses', not 'messages'"),
        ("anthropic", "chat", "'anthropic' supports 'messages', not 'chat'"),
        ("openai", "response", "Did you mean 'responses'?"),
    ],
)
def test_unsupported_api(name: str, api: str, words: str) -> None:
    """A wrong api= is refused before anything is sent, with what would work."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(find(name), api_key="k", api=api, env={})

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://proxy.example", "https://proxy.example/", "https://proxy.example/v1/"],
)
def test_anthropic_base_never_holds_v1(url: str) -> None:
    """The SDK appends /v1, so an address that ends in it loses it, from wherever it comes."""
    row = find("anthropic")

    assert resolve(row, base_url=url, api_key="k", env={}).base_url == "https://proxy.example"
    moved = resolve(row, api_key="k", env={"ANTHROPIC_BASE_URL": url})
    assert moved.base_url == "https://proxy.example"


# ------------------------------------------------------------------ keys


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_blank_counts_as_unset(blank: str) -> None:
    """Blank variables and blank arguments are as if they were not there."""
    row = find("together")
    env = {
        "TOGETHER_API_KEY": blank,
        "TOGETHER_AI_API_KEY": "second",
        "TOGETHER_BASE_URL": blank,
    }
    endpoint = resolve(row, api_key=blank, base_url=blank, env=env)

    assert endpoint.base_url == row.base_url
    assert endpoint.key_source == "TOGETHER_AI_API_KEY"
    with pytest.raises(MissingKeyError):
        resolve(row, api_key=blank, env={"TOGETHER_API_KEY": blank})
    with pytest.raises(MissingKeyError):
        resolve(row, api_key=Secret(blank), env={})


def test_missing_key_is_one_exact_line() -> None:
    """The message names the service, each variable, the argument, and that nothing was sent."""
    with pytest.raises(MissingKeyError) as one:
        resolve(find("groq"), env={"OPENAI_API_KEY": "sk-real"})
    with pytest.raises(MissingKeyError) as three:
        resolve(find("together"), env={})

    assert str(one.value) == (
        "No key for 'groq': set GROQ_API_KEY in the environment, run %allos key groq, "
        "or pass api_key=. Nothing was sent."
    )
    assert "TOGETHER_API_KEY, TOGETHER_AI_API_KEY or TOGETHERAI_API_KEY" in str(three.value)


def test_missing_key_at_a_custom_host_says_why() -> None:
    """The error for a custom host says to which hosts the key may be sent."""
    with pytest.raises(MissingKeyError) as caught:
        resolve(find("openai"), base_url="https://box.lan:8000/v1", env={"OPENAI_API_KEY": "sk-1"})

    assert str(caught.value) == (
        "No key for 'openai' at https://box.lan:8000: OPENAI_API_KEY is only sent to "
        "https://api.openai.com or the host of OPENAI_BASE_URL. "
        "Pass api_key= (any string where it is not checked). Nothing was sent."
    )


def test_key_is_trimmed() -> None:
    """A line break at the end of a variable is not part of the key."""
    assert key(resolve(find("groq"), env={"GROQ_API_KEY": " gsk-1\n"})) == "gsk-1"


@pytest.mark.parametrize("bad", ["gsk one", "gsk\r\nX-Evil: 1", "gsk–1", "gsk\x00"])
def test_a_key_that_no_header_can_carry(bad: str) -> None:
    """Such a key is refused by its variable's name, and its text is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        resolve(find("groq"), env={"GROQ_API_KEY": bad})

    assert "GROQ_API_KEY" in str(caught.value)
    assert "gsk" not in str(caught.value)


def test_a_bad_key_that_is_not_used_does_not_matter() -> None:
    """A malformed variable is looked at only when its key would be sent."""
    env = {"GROQ_API_KEY": "two words"}

    assert key(resolve(find("groq"), api_key="mine", env=env)) == "mine"
    assert resolve(find("groq"), base_url="http://localhost:1/v1", env=env).placeholder


def test_key_of_another_type() -> None:
    """A key that is not a string is refused without being shown."""
    with pytest.raises(ConfigurationError, match="api_key must be a string, got int"):
        resolve(find("groq"), api_key=12345, env={})  # type: ignore[arg-type]


def test_base_url_of_another_type() -> None:
    """A base URL that is not a string is refused, also for the embedded model."""
    with pytest.raises(ConfigurationError, match="base_url must be a string, got int"):
        resolve(find("groq"), base_url=8000, env=EVERY_KEY)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="does not accept base_url"):
        resolve(find("local"), base_url=8000, env={})  # type: ignore[arg-type]


def test_no_key_in_the_repr() -> None:
    """An endpoint can be printed."""
    text = repr(resolve(find("groq"), env={"GROQ_API_KEY": "gsk-very-secret"}))

    assert "gsk-very-secret" not in text


def test_jan_needs_its_key_at_its_own_address_only() -> None:
    """Jan refuses calls without a key; another server on this machine may not."""
    jan = find("jan")

    assert key(resolve(jan, env={"JAN_API_KEY": "any"})) == "any"
    assert (
        key(resolve(jan, base_url="http://localhost:1337/v1", env={"JAN_API_KEY": "any"})) == "any"
    )
    with pytest.raises(MissingKeyError):
        resolve(jan, env={})
    assert resolve(jan, base_url="http://localhost:9/v1", env={}).placeholder


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://[::1]:8000/v1"])
def test_names_of_this_machine_are_one_host(url: str) -> None:
    """localhost, 127.0.0.1 and ::1 at the same port are one place; 127.0.0.2 is another."""
    env = {"VLLM_API_KEY": "k-vllm"}

    assert key(resolve(find("vllm"), base_url=url, env=env)) == "k-vllm"
    apart = resolve(find("vllm"), base_url="http://127.0.0.2:8000/v1", env=env)
    assert (key(apart), apart.withheld) == (PLACEHOLDER, "VLLM_API_KEY")


def test_embedded_model_has_no_base_url_and_no_key() -> None:
    """`local` is started by allos: nothing of the environment touches it."""
    env = {**EVERY_KEY, "LOCAL_BASE_URL": CUSTOM, "LOCAL_API_KEY": "x"}
    endpoint = resolve(find("local"), env=env)

    assert (endpoint.base_url, endpoint.api_key, endpoint.key_source) == ("", None, "embedded")
    assert resolve(find("local"), api="messages", env={}).api == "messages"
    with pytest.raises(ConfigurationError, match="chat_completions"):
        resolve(find("local"), base_url="http://localhost:8080/v1", env={})


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9999", "http://127.0.0.1:9999/v1"),
        ("127.0.0.1", "http://127.0.0.1:11434/v1"),
        (":1234", "http://127.0.0.1:1234/v1"),
        ("box", "http://box:11434/v1"),
        ("box:1234/", "http://box:1234/v1"),
        ("box:1234/v1", "http://box:1234/v1"),
        ("http://box:1234", "http://box:1234/v1"),
        ("http://box", "http://box/v1"),
        ("https://box/proxy/v1/", "https://box/proxy/v1"),
        ("https://box/proxy", "https://box/proxy/v1"),
        ("::1", "http://[::1]:11434/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("[::1]:77", "http://[::1]:77/v1"),
        ("[::]:77", "http://[::1]:77/v1"),
        ("'box:1234'", "http://box:1234/v1"),
        ('"box"', "http://box:11434/v1"),
        ("  ", "http://localhost:11434/v1"),
    ],
)
def test_ollama_host(value: str, expected: str) -> None:
    """OLLAMA_HOST is read as Ollama reads it, and ends in the API's path."""
    endpoint = resolve(find("ollama"), env={"OLLAMA_HOST": value, "OPENAI_API_KEY": "sk-real"})

    assert endpoint.base_url == expected
    assert key(endpoint) == PLACEHOLDER


def test_ollama_host_with_a_password() -> None:
    """A user and password in OLLAMA_HOST are refused and not shown."""
    with pytest.raises(ConfigurationError, match="contains a user name or password") as caught:
        resolve(find("ollama"), env={"OLLAMA_HOST": "http://me:hush@box"})

    assert "hush" not in str(caught.value)


def test_ollama_host_comes_after_the_address_variables() -> None:
    """Argument, then OLLAMA_BASE_URL, then OLLAMA_HOST."""
    env = {"OLLAMA_HOST": "box", "OLLAMA_COMPAT_BASE_URL": "http://second:1/v1"}

    assert resolve(find("ollama_compat"), env=env).base_url == "http://second:1/v1"
    env["OLLAMA_BASE_URL"] = "http://first:1/v1"
    assert resolve(find("ollama"), env=env).base_url == "http://first:1/v1"
    assert (
        resolve(find("ollama"), base_url="http://arg:1/v1", env=env).base_url == "http://arg:1/v1"
    )


@pytest.mark.parametrize(
    ("name", "variable", "value", "expected"),
    [
        ("azure", "AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/", "https://r.openai.azure.com/openai/v1"),
        ("azure", "AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1"),
        ("databricks", "DATABRICKS_HOST", "x.cloud.databricks.com", "https://x.cloud.databricks.com/serving-endpoints"),
        ("databricks", "DATABRICKS_HOST", "https://x.cloud.databricks.com/", "https://x.cloud.databricks.com/serving-endpoints"),
        ("cloudflare", "CLOUDFLARE_ACCOUNT_ID", "abc", "https://api.cloudflare.com/client/v4/accounts/abc/ai/v1"),
        ("cloudflare", "CLOUDFLARE_ACCOUNT_ID", "../x?y", "https://api.cloudflare.com/client/v4/accounts/..%2Fx%3Fy/ai/v1"),
    ],
)  # fmt: skip
def test_parts_of_an_address_come_from_the_environment(
    name: str, variable: str, value: str, expected: str
) -> None:
    """A part is filled in as people write it, and cannot break out of its place."""
    assert resolve(find(name), api_key="k", env={variable: value}).base_url == expected


@pytest.mark.parametrize("name", ["azure", "databricks", "cloudflare"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_part_is_named(name: str, value: str | None) -> None:
    """Without its part an address cannot be built: one line names the variable."""
    variable = {"azure": "AZURE_OPENAI_ENDPOINT", "databricks": "DATABRICKS_HOST"}.get(
        name, "CLOUDFLARE_ACCOUNT_ID"
    )
    with pytest.raises(ConfigurationError) as caught:
        resolve(find(name), api_key="k", env={} if value is None else {variable: value})

    assert f"{name!r} needs {variable}" in str(caught.value)
    assert not isinstance(caught.value, MissingKeyError)


def test_own_host_is_known_without_the_part_in_its_path() -> None:
    """Cloudflare's host is fixed, so its key goes there; an unknown Azure resource gets none."""
    url = "https://api.cloudflare.com/client/v4/accounts/9/ai/v1"

    assert key(resolve(find("cloudflare"), base_url=url, env=EVERY_KEY)) is not None
    assert not resolve(find("cloudflare"), base_url=url, env=EVERY_KEY).is_custom_host
    with pytest.raises(MissingKeyError, match="only sent to the host of AZURE_BASE_URL"):
        resolve(find("azure"), base_url="https://r.openai.azure.com/openai/v1", env=EVERY_KEY)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://me:hunter2@box/v1", "user name or password"),
        ("https://hunter2@box/v1", "user name or password"),
        ("me:hunter2@box/v1", "user name or password"),
        ("https://api.openai.com@evil.example/v1", "user name or password"),
        ("https://api.openai.com:443@evil.example/v1", "user name or password"),
        ("https://me:hun/ter2@box", "not a valid URL"),
        ("https://box/v1?token=hunter2", "query or fragment"),
        ("https://box/v1#hunter2", "query or fragment"),
        ("https://box/v1?", "query or fragment"),
        ("https://api.openai.com\\@evil.example/v1", "backslash"),
        ("https://api.open\nai.com/v1", "control character"),
        ("https://box /v1", "whitespace"),
        ("localhost:8000/v1", "must start with http"),
        ("box", "must start with http"),
        ("ftp://box/v1", "must start with http"),
        ("file:///etc/passwd", "must start with http"),
        ("https://", "must start with http"),
        ("https:///v1", "must start with http"),
        ("https://box:port/v1", "not a valid URL"),
        ("https://box:99999/v1", "not a valid URL"),
        ("https://[::1/v1", "not a valid URL"),
        ("https://box/v1/chat/completions", "must not end with '/chat/completions'"),
        ("https://box/v1/responses/", "must not end with '/responses'"),
    ],
)
@pytest.mark.parametrize("where", ["base_url", "OPENAI_BASE_URL"])
def test_base_urls_that_are_refused(url: str, words: str, where: str) -> None:
    """An invalid base URL is one line with its source and without secrets."""
    argument = url if where == "base_url" else None
    env = {"OPENAI_API_KEY": "sk-real", where: url}
    with pytest.raises(ConfigurationError) as caught:
        resolve(find("openai"), base_url=argument, env=env)
    text = str(caught.value)

    assert words in text
    assert text.startswith(where)
    assert "\n" not in text
    assert "hunter2" not in text
    assert "ter2" not in text
    assert "sk-real" not in text


def test_a_variable_that_is_not_used_may_be_wrong() -> None:
    """base_url= goes before the variable, so a malformed one does not matter and owns no host."""
    env = {"OPENAI_BASE_URL": "nonsense", "OPENAI_API_KEY": "sk-real"}

    assert resolve(find("openai"), base_url="http://localhost:1/v1", env=env).placeholder
