from __future__ import annotations

import pytest

from allos.errors import ConfigurationError
from allos.providers.auth.endpoints import account, resolve
from allos.providers.auth.pasted_urls import take_over
from allos.providers.catalog.services import find

V1 = "https://r.openai.azure.com/openai/v1"
TARGET = "/openai/deployments/prod/chat/completions?api-version=2025-01-01-preview"
FORMS = [
    "https://r.openai.azure.com",
    "https://r.openai.azure.com/",
    "https://r.openai.azure.com//",
    "https://R.OpenAI.azure.com/openai",
    "https://r.openai.azure.com/openai/",
    "https://r.openai.azure.com/openai/v1",
    "https://r.openai.azure.com/openai/v1/",
    "https://r.openai.azure.com/openai/v1/chat/completions",
    "https://r.openai.azure.com/openai/v1/responses",
    "https://r.openai.azure.com/openai/v1/models",
    "https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview",
    "https://r.openai.azure.com/openai/deployments/prod",
    f"https://r.openai.azure.com{TARGET}",
    "https://r.openai.azure.com/models/chat/completions?api-version=2024-05-01-preview",
    "https://r.openai.azure.com/models",
    "https://r.openai.azure.com/api/projects/my-project",
    "https://r.openai.azure.com/api/projects/my-project/openai/v1",
    "r.openai.azure.com",
    "  'https://r.openai.azure.com/'\n",
    '"https://r.openai.azure.com/openai/v1"',
]


@pytest.mark.parametrize("url", FORMS)
@pytest.mark.parametrize("where", ["AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_BASE_URL", "base_url"])
def test_every_form_of_a_resource(url: str, where: str) -> None:
    """Whatever the portal shows, and however it is pasted: one base URL, and one account for the key."""
    row = find("azure")
    env = {} if where == "base_url" else {where: url}
    given = url if where == "base_url" else None

    assert resolve(row, base_url=given, api_key="k", env=env).base_url == V1
    if where == "AZURE_OPENAI_ENDPOINT":
        assert account(row, env=env) == account(row, env={where: "https://r.openai.azure.com"})


@pytest.mark.parametrize(
    "host",
    [
        "r.services.ai.azure.com",
        "r.cognitiveservices.azure.com",
        "r.openai.azure.us",
        "r.openai.azure.cn",
    ],
)
@pytest.mark.parametrize("path", ["", "/", TARGET, "/api/projects/p"])
def test_every_kind_of_host(host: str, path: str) -> None:
    """Resources have several hosts; each keeps its own."""
    found = resolve(find("azure"), base_url=f"https://{host}{path}", api_key="k", env={})

    assert found.base_url == f"https://{host}/openai/v1"


@pytest.mark.parametrize("where", ["AZURE_OPENAI_ENDPOINT", "AZURE_BASE_URL", "base_url"])
def test_deployment_is_taken_over(where: str) -> None:
    """A deployment in the URL is the model that is called, and it is known where it was named."""
    url = f"http://localhost:8000/gateway{TARGET.replace('prod', 'my%20prod')}"
    env = {} if where == "base_url" else {where: url}
    found = resolve(find("azure"), base_url=url if not env else None, api_key="k", env=env)

    assert found.base_url == "http://localhost:8000/gateway/openai/v1"
    assert (found.model, found.model_source, found.query) == ("my prod", where, "")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("api-version=preview", "api-version=preview"),
        ("api-version=v1", "api-version=v1"),
        ("api-version=2024-10-21", ""),
        ("api-version=2025-04-01-preview", ""),
    ],
)
def test_version_of_the_api_is_taken_over(query: str, expected: str) -> None:
    """The v1 API has a preview and no dated versions."""
    found = resolve(find("azure"), base_url=f"{V1}?{query}", api_key="k", env={})

    assert (found.base_url, found.query) == (V1, expected)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000/v1",
        "https://gateway.example/azure/v1",
        "https://gateway.example",
        "https://r.openai.azure.com.evil.example",
        "https://r.openai.azure.com/anthropic",
    ],
)
def test_other_base_urls_stay(url: str) -> None:
    """A base URL of another kind is used as it is."""
    assert resolve(find("azure"), base_url=url, api_key="k", env={}).base_url == url


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://me:hush@r.openai.azure.com/openai", "user name or password"),
        ("https://r.openai.azure.com/openai?key=hush", "query or fragment"),
        ("https://r.openai.azure.com/openai?api-version=v1&key=hush", "query or fragment"),
        ("https://r.openai.azure.com/openai#hush", "query or fragment"),
        ("https://[r/openai", "not a valid URL"),
        ("ftp://r.openai.azure.com", "must start with http"),
        ("my-resource", "must start with http"),
    ],
)
@pytest.mark.parametrize("where", ["AZURE_OPENAI_ENDPOINT", "base_url"])
def test_what_is_no_url_is_refused_as_before(url: str, words: str, where: str) -> None:
    """What is not valid is one line with its source and without secrets."""
    env = {} if where == "base_url" else {where: url}
    with pytest.raises(ConfigurationError) as caught:
        resolve(find("azure"), base_url=url if not env else None, api_key="k", env=env)

    assert words in str(caught.value)
    assert str(caught.value).startswith(where)
    assert "hush" not in str(caught.value)


def test_other_services_are_left_alone() -> None:
    """Only a service whose row has such paths has pasted URLs."""
    env = {"OPENAI_BASE_URL": f"https://r.openai.azure.com{TARGET}"}

    assert take_over(find("openai"), None, env) == (None, env, None, "", "")


def test_environment_is_not_copied() -> None:
    """The values of the environment are in no variable that a traceback would show."""

    class Hidden(dict[str, str]):
        def __repr__(self) -> str:
            return "hidden"

    found = take_over(find("azure"), None, Hidden({"AZURE_OPENAI_ENDPOINT": V1, "A_KEY": "sk-1"}))

    assert found.env["A_KEY"] == "sk-1"
    assert "sk-1" not in repr(found)
