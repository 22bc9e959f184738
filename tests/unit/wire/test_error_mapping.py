from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allos import errors
from allos.wire import error_mapping

WORDS = "The tokens ran out of patience"
BODIES: dict[str, Any] = {
    "openai": {"error": {"message": WORDS, "type": "x_error", "code": "x_code", "param": None}},
    "unwrapped": {"message": WORDS, "type": "x_error", "code": "x_code"},
    "anthropic": {"type": "error", "error": {"type": "x_error", "message": WORDS}},
    "vllm": {"object": "error", "message": WORDS, "type": "x_error", "code": 400},
    "string error": {"error": WORDS},
    "detail": {"detail": WORDS},
    "detail list": {"detail": [{"loc": ["body"], "msg": WORDS, "type": "missing"}]},
    "list": [{"error": {"code": 400, "message": WORDS, "status": "INVALID_ARGUMENT"}}],
    "text": WORDS,
    "bytes": WORDS.encode(),
    "html": f"<!DOCTYPE html><html><head><title>{WORDS}</title></head><body>x</body></html>",
    "html without title": f"<p>{WORDS}</p>",
    "title": {"title": WORDS, "status": 400},
    "status_msg": {"base_resp": {}, "status_msg": WORDS, "status_code": 1004},
    "nested message": {"message": {"detail": [{"msg": WORDS}]}},
}
STATUSES: dict[int, tuple[type[errors.ProviderError], bool]] = {
    400: (errors.BadRequestError, False),
    401: (errors.AuthenticationError, False),
    402: (errors.QuotaError, False),
    403: (errors.AuthenticationError, False),
    404: (errors.BadRequestError, False),
    405: (errors.BadRequestError, False),
    408: (errors.ProviderTimeoutError, True),
    409: (errors.BadRequestError, True),
    410: (errors.BadRequestError, False),
    413: (errors.BadRequestError, False),
    422: (errors.BadRequestError, False),
    425: (errors.BadRequestError, True),
    429: (errors.RateLimitError, True),
    500: (errors.ServerError, True),
    502: (errors.ServerError, True),
    503: (errors.ServerError, True),
    504: (errors.ProviderTimeoutError, True),
    529: (errors.ServerError, True),
}


@pytest.mark.parametrize("shape", BODIES)
@pytest.mark.parametrize("status", STATUSES)
def test_status_and_body(status: int, shape: str) -> None:
    """Every status has one type of error, and the server's words are found in every shape."""
    error = error_mapping.from_status(status, BODIES[shape], {"x-request-id": "req_1"})
    kind, retryable = STATUSES[status]
    if status == 403 and "html" in shape:
        kind = errors.PermissionDeniedError  # a firewall's page

    assert type(error) is kind
    assert error.retryable is retryable
    assert error.status_code == status
    assert error.request_id == "req_1"
    assert error.detail is not None
    assert WORDS in error.detail
    assert "<" not in error.detail


@pytest.mark.parametrize(
    ("shape", "code"),
    [("openai", "x_code"), ("anthropic", "x_error"), ("vllm", "x_error"), ("text", None)],
)
def test_code(shape: str, code: str | None) -> None:
    """The service's own code is kept; a bare number is none."""
    assert error_mapping.from_status(400, BODIES[shape], {}).code == code


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "This model's maximum context length is 8192 tokens", errors.ContextLengthError),
        (400, "prompt is too long: 200001 tokens > 200000", errors.ContextLengthError),
        (413, "exceeds the available context size", errors.ContextLengthError),
        (404, "The model `x` does not exist", errors.ModelNotFoundError),
        (400, "model_decommissioned", errors.ModelNotFoundError),
        (400, "blocked by the content filter", errors.ContentFilterError),
        (429, "You exceeded your current quota, check billing", errors.QuotaError),
        (429, "Slow down", errors.RateLimitError),
        (404, "Not Found", errors.BadRequestError),
    ],
)
def test_message_says_more_than_the_status(
    status: int, words: str, kind: type[errors.ProviderError]
) -> None:
    """Context, model, filter and quota are distinguished by what the server says."""
    assert type(error_mapping.from_status(status, {"error": {"message": words}}, {})) is kind


@pytest.mark.parametrize("body", [None, "", b"", {}, [], {"error": None}, {"error": {}}, 7, "<p>"])
def test_no_message(body: Any) -> None:
    """A body without a message gives one of our own."""
    error = error_mapping.from_status(500, body, {})

    assert error.detail is None
    assert error.message == "HTTP 500 without an explanation"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "86400"}, 86400.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "50", "retry-after": "9"}, 0.05),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 10:00:30 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT",
                "date": "Sun, 22 Nov 2026 10:00:00 GMT",
            },
            0.0,
        ),
        ({"retry-after": "Sun, 22 Nov 2020 10:00:30 GMT"}, 0.0),  # without `date` by our clock
        ({"retry-after": "9" * 400}, float("inf")),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Every form of the hint is read; an unreadable one is none."""
    assert error_mapping.from_status(429, None, headers).retry_after_s == seconds


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://evil.example/v1?token=x", "https://evil.example"),
        ("https://me:pw@evil.example/", "https://evil.example"),
        ("/elsewhere", "elsewhere"),
        (None, "elsewhere"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_names_its_target(status: int, location: str | None, named: str) -> None:
    """A redirect is an error that names the host, and no user name, password or query."""
    error = error_mapping.from_status(status, None, {"location": location} if location else {})

    assert type(error) is errors.InvalidResponseError
    assert not error.retryable
    assert named in error.message
    assert "pw" not in error.message
    assert "token" not in error.message


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"type": "overloaded_error", "message": "x"}}, errors.ServerError),
        ({"error": {"type": "rate_limit_error", "message": "x"}}, errors.RateLimitError),
        ({"error": {"type": "authentication_error", "message": "x"}}, errors.AuthenticationError),
        ({"code": "server_error", "message": "x"}, errors.ServerError),
        ({"code": "rate_limit_exceeded", "message": "x"}, errors.RateLimitError),
        ({"code": "insufficient_quota", "message": "x"}, errors.QuotaError),
        ({"code": "invalid_prompt", "message": "x"}, errors.BadRequestError),
        ({"code": "never_heard_of", "message": "x"}, errors.ServerError),
        ({"error": {"code": 429, "message": "x"}}, errors.RateLimitError),
        ({"error": {"code": "503", "message": "x"}}, errors.ServerError),
        ({"error": {"code": 401, "message": "x"}}, errors.AuthenticationError),
        ({"error": "maximum context length"}, errors.ContextLengthError),
        ({"error": "x"}, errors.InvalidResponseError),
        ("x", errors.InvalidResponseError),
        (None, errors.ServerError),
        ({"error": {}}, errors.ServerError),
    ],
)
def test_error_inside_a_success(body: Any, kind: type[errors.ProviderError]) -> None:
    """An error object in a 200 or a stream is distinguished by its code, a number included."""
    error = error_mapping.from_body(body)

    assert type(error) is kind
    assert error.status_code is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "type", "detail", "status", "msg"]), inner
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON, st.integers(300, 599))
def test_any_body_gives_a_typed_error(body: Any, status: int) -> None:
    """No shape of an error body makes anything but one of our errors."""
    for error in (error_mapping.from_status(status, body, {}), error_mapping.from_body(body)):
        assert isinstance(error, errors.ProviderError)
        assert error.message


class Lost(Exception):
    """What an SDK raises that keeps its reason as the cause."""


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (ConnectionRefusedError("Connect call failed"), errors.ProviderConnectionError, "refused"),
        (ConnectionResetError("reset by peer"), errors.ProviderConnectionError, "closed"),
        (OSError("Name or service not known"), errors.ProviderConnectionError, "host name"),
        (OSError("certificate verify failed"), errors.ProviderConnectionError, "TLS"),
        (OSError("Network is unreachable"), errors.ProviderConnectionError, "not reachable"),
        (TimeoutError(), errors.ProviderTimeoutError, "timeout"),
        (ValueError("odd"), errors.InvalidResponseError, "could not be read"),
    ],
)
def test_exceptions(cause: Exception, kind: type[errors.ProviderError], words: str) -> None:
    """Whatever an SDK or its HTTP library raises becomes one of our errors, by its cause."""
    exc = Lost("wrapped")
    exc.__cause__ = cause
    error = error_mapping.from_exception(exc)

    assert type(error) is kind
    assert words in error.message


def test_ours_pass_through() -> None:
    """An error of ours is not wrapped again."""
    error = errors.IncompleteStreamError("cut")

    assert error_mapping.from_exception(error) is error


NO_MODEL = {
    "openai": "The model `x-1` does not exist or you do not have access to it.",
    "anthropic": {"type": "error", "error": {"type": "not_found_error", "message": "model: x-1"}},
    "groq": {
        "error": {
            "message": "gone",
            "type": "invalid_request_error",
            "code": "model_decommissioned",
        }
    },
    "together": {
        "error": {"message": "Unable to access model x-1. Visit", "code": "model_not_available"}
    },
    "mistral": {"object": "error", "message": "Invalid model: x-1", "type": "invalid_model"},
    "mistral code": {"object": "error", "message": "no", "type": "invalid_model"},
    "deepseek": {"error": {"message": "Model Not Exist", "type": "invalid_request_error"}},
    "fireworks": "Model not found, inaccessible, and/or not deployed",
    "openrouter": "x-1 is not a valid model ID",
    "gemini": [
        {"error": {"code": 404, "message": "models/x-1 is not found for API version v1beta"}}
    ],
    "huggingface": "The requested model 'x-1' is not supported by any provider you have enabled.",
    "moonshot": {"error": {"message": "Not found the model x-1 or Permission denied"}},
    "zai": {"error": {"code": "1211", "message": "Unknown Model, please check the model code."}},
    "azure": {"error": {"code": "DeploymentNotFound", "message": "no"}},
    "azure words": "The API deployment for this resource does not exist.",
    "ollama": {"error": {"message": "model 'x-1:8b' not found, try pulling it first"}},
    "vllm": {"object": "error", "message": "The model `x-1` does not exist.", "code": 404},
    "litellm": "Invalid model name passed in model=x-1.",
}


@pytest.mark.parametrize("service", NO_MODEL)
def test_words_for_a_model_that_is_not_there(service: str) -> None:
    """However a service says it, a missing model is one."""
    assert type(error_mapping.from_status(404, NO_MODEL[service], {})) is errors.ModelNotFoundError
    assert type(error_mapping.from_status(400, NO_MODEL[service], {})) is errors.ModelNotFoundError


@pytest.mark.parametrize(
    "words",
    [
        "Unsupported parameter: 'temperature' is not supported with this model.",
        "model: claude-x: `temperature` is not supported",
        "This model does not support tools",
        "404 page not found",
        "The request field 'models' is too long",
    ],
)
def test_what_is_no_missing_model(words: str) -> None:
    """A parameter that a model does not accept, or a wrong address, is another matter."""
    assert type(error_mapping.from_status(400, words, {})) is errors.BadRequestError


@pytest.mark.parametrize("words", ["the client has been closed.", "Session is closed"])
def test_closed_while_it_ran(words: str) -> None:
    """A connection that our own side has closed is reported as such."""
    error = error_mapping.from_exception(RuntimeError(words))

    assert type(error) is errors.ProviderConnectionError
    assert "closed" in error.message
