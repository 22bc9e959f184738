"""Which error a service means: structured facts beat words, words beat the status."""

from __future__ import annotations

from typing import Any

import pytest

from allos import errors
from allos.wire import error_mapping


def kind(status: int | None, body: Any, headers: dict[str, str] | None = None) -> str:
    if status is None:
        return type(error_mapping.from_body(body, headers=headers)).__name__
    return type(error_mapping.from_status(status, body, headers or {})).__name__


def error(message: str, **facts: Any) -> dict[str, Any]:
    return {"error": {"message": message, **facts}}


RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}


def google(message: str, code: int, status: str, *details: Any) -> list[Any]:
    return [{"error": {"code": code, "message": message, "status": status, "details": [*details]}}]


def quota(name: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaId": name}],
    }


GOOGLE_WORDS = "You exceeded your current quota, please check your plan and billing details."
UPGRADE = "Need more tokens? Upgrade today at https://example.com/settings/billing"
RATE_LIMITS: dict[str, tuple[int | None, Any, dict[str, str]]] = {
    "code": (429, error(f"Limit 6000. {UPGRADE}", type="tokens", code="rate_limit_exceeded"), {}),
    "type": (429, error(f"Enough. {UPGRADE}", type="rate_limit_error"), {}),
    "anthropic": (429, {"type": "error", **error("Add credits.", type="rate_limit_error")}, {}),
    "quota id of a minute": (429, google(GOOGLE_WORDS, 429, "X", quota("GeneratePerMinute")), {}),
    "quota id of a day": (429, google(GOOGLE_WORDS, 429, "X", quota("GeneratePerDay-Free")), {}),
    "delay": (429, google(GOOGLE_WORDS, 429, "X", RETRY_INFO), {}),
    "status word": (429, google("Exhausted (e.g. check quota).", 429, "RESOURCE_EXHAUSTED"), {}),
    "header": (429, error(GOOGLE_WORDS), {"retry-after": "2"}),
    "words": (429, error("Rate limit on requests per min. Add a payment method for more."), {}),
    "trial key": (429, {"message": "A Trial key is limited to 40 API calls / minute. Billing: x"}, {}),
    "bare": (429, None, {}),
    "text": (429, "Too Many Requests: see /billing", {}),
    "quota words": (429, error("Quota exceeded for metric x and limit 'x per minute'"), {}),
    "cerebras": (429, {"message": "x", "type": "too_many_tokens_error", "code": "token_quota_exceeded"}, {}),
    "free models": (429, error("Rate limit exceeded: per-day. Add 10 credits to unlock more", code=429), {}),
    "too large": (413, error("Request too large on TPM", type="tokens", code="rate_limit_exceeded"), {}),
    "wrong status": (400, error("x", code="rate_limit_exceeded"), {}),
    "behind a gateway": (500, error("Provider returned error", code=429), {}),
    "in a success": (None, error("Slow down", code=429), {}),
    "in a success by words": (None, {"error": "Rate limit exceeded, try again in 2s"}, {}),
    "in a stream": (None, {"type": "error", "code": "rate_limit_exceeded", "message": "x"}, {}),
    "apigee": (429, {"fault": {"faultstring": "x", "detail": {"errorcode": "policies.ratelimit.SpikeArrestViolation"}}}, {}),
    "aws type": (400, {"__type": "ThrottlingException", "message": "Too many tokens, please wait before trying again."}, {}),
    "aws header": (400, {"message": "x"}, {"x-amzn-errortype": "ThrottlingException:http://internal.example/"}),
    "aws words": (400, {"message": "Too many tokens, please wait before trying again."}, {}),
    "aws quota": (400, {"__type": "ServiceQuotaExceededException", "message": "x"}, {}),
    "status alone in a success": (None, {"status": "error", "message": "rate limit exceeded"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", RATE_LIMITS)
def test_rate_limit(name: str) -> None:
    """A rate limit is one, however often its message speaks of plans, billing and credits."""
    assert kind(*RATE_LIMITS[name]) == "RateLimitError"


EMPTY_ACCOUNTS: dict[str, tuple[int | None, Any, dict[str, str]]] = {
    "openai": (429, error(GOOGLE_WORDS, type="insufficient_quota", code="insufficient_quota"), {}),
    "openai with a wait": (429, error("x", code="insufficient_quota"), {"retry-after": "1"}),
    "words alone": (429, error(GOOGLE_WORDS), {}),
    "anthropic": (400, {"type": "error", **error("Your credit balance is too low to access the API.", type="invalid_request_error")}, {}),
    "billing_error": (None, {"type": "error", **error("x", type="billing_error")}, {}),
    "payment": (402, None, {}),
    "deepseek": (402, error("Insufficient Balance", code="invalid_request_error"), {}),
    "moonshot": (429, error("Your account is suspended", type="exceeded_current_quota_error"), {}),
    "xai": (403, {"code": "The caller does not have permission", "error": "Your newly created team doesn't have any credits yet. You can purchase credits at x"}, {}),
    "siliconflow": (403, {"code": 30001, "message": "Sorry, your account balance is insufficient"}, {}),
    "dashscope": (400, {"code": "Arrearage", "message": "Access denied."}, {}),
    "minimax": (None, {"status_code": 1008, "status_msg": "insufficient balance"}, {}),
    "spending limit": (400, {"type": "error", **error("You have reached your specified API usage limits.", type="invalid_request_error")}, {}),
    "openrouter": (403, error("Key limit exceeded (total limit).", code=403), {}),
    "prepaid": (429, google("Your prepayment credits are depleted.", 429, "RESOURCE_EXHAUSTED"), {}),
    "fireworks": (412, error("Account x is suspended, possibly due to reaching the monthly spending limit", code="PRECONDITION_FAILED"), {}),
    "xai team": (429, {"code": "Some resource has been exhausted", "error": "Your team has either used all available credits or reached its monthly spending limit."}, {}),
    "litellm": (400, error("Budget has been exceeded! Current cost: 1.0, Max budget: 0.5", type="budget_exceeded", code="400"), {}),
    "free tier": (403, error("The free tier of the model has been exhausted.", code="AllocationQuota.FreeTierOnly"), {}),
    "google billing": (403, google("This API method requires billing to be enabled.", 403, "PERMISSION_DENIED"), {}),
    "chinese": (429, error("余额不足或无可用资源包,请充值。", code="1113"), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY_ACCOUNTS)
def test_empty_account(name: str) -> None:
    """An account without credit is one at any status, and is not tried again."""
    assert kind(*EMPTY_ACCOUNTS[name]) == "QuotaError"


WRONG_KEYS: dict[str, tuple[int | None, Any, dict[str, str]]] = {
    "xai": (400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: ab***yz."}, {}),
    "xai encoded": (400, {"code": "x", "error": "Incorrect%20API%20key%20provided:%20ba***na."}, {}),
    "gemini": (400, google("API key not valid. Please pass a valid API key.", 400, "INVALID_ARGUMENT"), {}),
    "gemini reason": (400, google("x", 400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}), {}),
    "gemini expired": (400, google("API key expired. Please renew the API key.", 400, "X"), {}),
    "anthropic": (401, {"type": "error", **error("invalid x-api-key", type="authentication_error")}, {}),
    "anthropic at 400": (400, {"type": "error", **error("invalid x-api-key", type="invalid_request_error")}, {}),
    "huggingface": (400, {"error": "Authorization header is correct, but the token seems invalid"}, {}),
    "cohere": (403, {"message": "invalid api token"}, {}),
    "nvidia": (403, {"status": 403, "title": "Forbidden", "detail": "Authorization failed"}, {}),
    "dashscope": (400, {"code": "InvalidApiKey", "message": "x"}, {}),
    "bare 401": (401, None, {}),
    "bare 403": (403, None, {}),
    "google 403": (403, google("Your API key was reported as leaked.", 403, "PERMISSION_DENIED"), {}),
    "azure": (403, error("Access denied due to invalid subscription key", code="403"), {}),
    "text": (400, "Unauthorized", {}),
    "gateway": (500, {"detail": "Error code: 401 - {'message': 'Invalid API Key'}"}, {}),
    "behind a gateway": (502, error("Provider returned error", code=401), {}),
    "in a success": (None, {"error": "Invalid API key"}, {}),
    "in a success by code": (None, error("x", code="invalid_api_key"), {}),
    "minimax": (None, {"status_code": 1004, "status_msg": "login fail: carry the API secret key"}, {}),
    "missing": (400, {"error": "You didn't provide an API key."}, {}),
    "none": (400, {"message": "No API key provided"}, {}),
    "not set": (500, error("API key is not set"), {}),
    "token": (400, error("Invalid token", type="invalid_request_error"), {}),
    "cloudflare list": (400, {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}, {}),
    "aws expired": (400, {"message": "x"}, {"x-amzn-errortype": "ExpiredTokenException"}),
    "chinese": (400, error("无效的令牌"), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_KEYS)
def test_wrong_key(name: str) -> None:
    """A key that is not accepted is told as one, whatever the status."""
    assert kind(*WRONG_KEYS[name]) == "AuthenticationError"


PAGE = "<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>"
REFUSED: dict[str, tuple[int, Any, dict[str, str]]] = {
    "openai": (403, error("Country, region, or territory not supported", code="unsupported_country_region_territory", type="request_forbidden"), {}),
    "region by words": (403, error("Country, region, or territory not supported"), {}),
    "gemini": (400, google("User location is not supported for the API use.", 400, "FAILED_PRECONDITION"), {}),
    "google": (403, google("Region not supported.", 403, "PERMISSION_DENIED"), {}),
    "legal": (451, None, {}),
    "page": (403, PAGE, {}),
    "page as bytes": (403, PAGE.encode(), {}),
    "challenge": (403, "x", {"cf-mitigated": "challenge"}),
    "cloudflare": (403, "error code: 1020", {}),
    "azure": (403, error("Access denied due to Virtual Network/Firewall rules.", code="403"), {}),
    "model": (403, error("You don't have access to the model with the specified model ID."), {}),
    "scope": (403, error("You have insufficient permissions for this operation."), {}),
    "service": (403, google("x", 403, "PERMISSION_DENIED", {"reason": "SERVICE_DISABLED"}), {}),
    "address": (401, error("Your IP is not authorized", code="ip_not_authorized"), {}),
    "iam": (403, google("Permission 'x' denied on resource 'y'.", 403, "PERMISSION_DENIED", {"reason": "IAM_PERMISSION_DENIED"}), {}),
    "iam by words": (403, google("Permission 'x' denied on resource 'y'.", 403, "PERMISSION_DENIED"), {}),
    "project": (403, google("Your project has been denied access.", 403, "PERMISSION_DENIED"), {}),
    "private network": (403, error("Public access is disabled. Please configure private endpoint."), {}),
    "databricks": (403, {"error_code": "PERMISSION_DENIED", "message": "User does not have CAN_QUERY permission"}, {}),
    "gated": (403, {"error": "Access to model x is restricted and you are not in the list."}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_for_another_reason_than_the_key(name: str) -> None:
    """A region, a firewall, a model's permission say nothing about the key."""
    status, body, headers = REFUSED[name]
    found = error_mapping.from_status(status, body, headers)

    assert type(found) is errors.PermissionDeniedError
    assert not found.retryable


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, error("x requires moderation. Your input was flagged", code=403), "ContentFilterError"),
        (403, {"code": "x", "error": "Content violates usage guidelines. API key ID: y"}, "ContentFilterError"),
        (400, error("x", code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}), "ContentFilterError"),
        (400, error("x", innererror={"code": "ResponsibleAIPolicyViolation"}), "ContentFilterError"),
        (400, {"code": "DataInspectionFailed", "message": "x"}, "ContentFilterError"),
        (400, error("x", code="context_length_exceeded"), "ContextLengthError"),
        (400, error("x", type="exceed_context_size_error", n_ctx=8), "ContextLengthError"),
        (400, google("The input token count (9) exceeds the maximum number of tokens allowed (8).", 400, "X"), "ContextLengthError"),
        (400, error("Input length 5000 exceeds the maximum length 4096"), "ContextLengthError"),
        (400, error("input length and `max_tokens` exceed context limit: 9 + 2 > 10"), "ContextLengthError"),
        (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2000"}, "ContextLengthError"),
        (400, {"code": "x", "error": "This model's maximum prompt length is 9 but the request contains 12 tokens."}, "ContextLengthError"),
        (400, error("prompt token count of 9 exceeds the limit of 8"), "ContextLengthError"),
        (400, error("Your request exceeded model token limit: 8192"), "ContextLengthError"),
        (400, error("Prompt exceeds max length", code="1261"), "ContextLengthError"),
        (400, error("Range of input length should be [1, 30720]"), "ContextLengthError"),
        (400, google("the input token count is 9 but model only supports up to 8.", 400, "X"), "ContextLengthError"),
        (400, {"errors": [{"code": 5021, "message": "x exceeded this model context window limit (9)."}]}, "ContextLengthError"),
        (400, error("max_tokens is too large: 9. This model supports at most 8 completion tokens"), "BadRequestError"),
        (None, {"status_code": 1026, "status_msg": "input new_sensitive"}, "ContentFilterError"),
        (400, error("系统检测到敏感内容", code="1301"), "ContentFilterError"),
        (404, error("No endpoints found for x/y."), "ModelNotFoundError"),
        (404, {"message": "model 'x' was removed on September 15."}, "ModelNotFoundError"),
        (400, {"message": "The provided model identifier is invalid."}, "ModelNotFoundError"),
        (None, {"status_code": 1000, "status_msg": "unknown error"}, "ServerError"),
        (None, {"error": "over capacity"}, "ServerError"),
        (None, {"error": "Unexpected endpoint or method. (POST /x)"}, "InvalidResponseError"),
        (400, error("The input image exceeds the maximum size of 20 MB"), "BadRequestError"),
        (500, error("the request exceeds the available context size"), "ContextLengthError"),
        (403, error("Project x does not have access to model y", code="model_not_found"), "ModelNotFoundError"),
        (503, error("No channel for y", code="model_not_found"), "ModelNotFoundError"),
        (400, error("x", code="model_decommissioned"), "ModelNotFoundError"),
        (404, error("x", code="DeploymentNotFound"), "ModelNotFoundError"),
        (404, error("Not Found", type="not_found_error"), "BadRequestError"),
        (503, error("The model y is not available right now"), "ServerError"),
        (503, error("Overloaded"), "ServerError"),
        (429, error("x", type="engine_overloaded_error"), "ServerError"),
        (498, error("x", code="capacity_exceeded"), "ServerError"),
        (498, None, "ServerError"),
        (520, PAGE, "ServerError"),
        (524, None, "ServerError"),
        (400, error("x", code=503), "ServerError"),
        (400, error("The key 'role' is missing in messages.0"), "BadRequestError"),
        (400, error("Invalid value for max_tokens: 'x' is not valid", code=400), "BadRequestError"),
        (400, error("Failed to call a function.", code="tool_use_failed"), "BadRequestError"),
    ],
)  # fmt: skip
def test_others(status: int | None, body: Any, expected: str) -> None:
    """Context, filter, model and the service's own failures are told apart the same way."""
    assert kind(status, body) == expected


@pytest.mark.parametrize("status", [498, 500, 502, 503, 520, 521, 522, 523, 524, 529])
def test_failures_of_the_service_are_repeated(status: int) -> None:
    """What may be over soon is worth another try."""
    assert error_mapping.from_status(status, None, {}).retryable


def test_too_large_for_a_rate_limit() -> None:
    """A single request that exceeds a rate limit is not sent again."""
    assert not error_mapping.from_status(*RATE_LIMITS["too large"]).retryable  # type: ignore[arg-type]


DELAYS: dict[str, tuple[Any, dict[str, str], float]] = {
    "header": (None, {"retry-after": "2"}, 2),
    "header with a unit": (None, {"retry-after": "2s"}, 2),
    "other header": (None, {"x-retry-after": "3"}, 3),
    "point in time": (error("x", resets_at=1795910405), {"date": "Sun, 29 Nov 2026 00:00:00 GMT"}, 5),
    "header before the body": (google("x", 429, "X", RETRY_INFO), {"retry-after": "2"}, 2),
    "retryDelay": (google("try again in 9s", 429, "X", RETRY_INFO), {}, 3),
    "field": (error("x", retry_after=7), {}, 7),
    "field in ms": (error("x", retry_after_ms=1500), {}, 1.5),
    "metadata": (error("x", code=429, metadata={"retry_after_seconds": 4}), {}, 4),
    "words": (error("Rate limit reached. Please try again in 2.5s."), {}, 2.5),
    "words of a gateway": (error("Provider returned error", metadata={"raw": '{"error": {"message": "Rate limit: try again in 4s"}}'}), {}, 4),
    "used-up window": (None, {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "1s"}, 360),
    "no window used up": (None, {"x-ratelimit-remaining-tokens": "12", "x-ratelimit-reset-tokens": "7.66s", "x-ratelimit-remaining-requests": "900", "x-ratelimit-reset-requests": "2m59s"}, 7.66),
    "by the minute": (None, {"x-ratelimit-remaining-tokens-minute": "0", "x-ratelimit-reset-tokens-minute": "33.5"}, 33.5),
    "anthropic": (None, {"anthropic-ratelimit-input-tokens-remaining": "0", "anthropic-ratelimit-input-tokens-reset": "2026-11-29T00:00:10Z", "date": "Sun, 29 Nov 2026 00:00:00 GMT"}, 10),
    "epoch": (None, {"x-ratelimit-reset": "1795910405", "date": "Sun, 29 Nov 2026 00:00:00 GMT"}, 5),
    "openrouter": (error("x", code=429, metadata={"headers": {"X-RateLimit-Limit": "20", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795910405000"}}), {"date": "Sun, 29 Nov 2026 00:00:00 GMT"}, 5),
    "none": (error("x"), {}, -1),
}  # fmt: skip


@pytest.mark.parametrize("name", DELAYS)
def test_wait_told_anywhere(name: str) -> None:
    """A wait is a Retry-After wherever it is told: header, field, sentence, window of a limit."""
    body, headers, seconds = DELAYS[name]
    found = error_mapping.from_status(429, body, headers)

    assert type(found) is errors.RateLimitError
    if seconds < 0:
        assert found.retry_after_s is None
    else:
        assert found.retry_after_s == pytest.approx(seconds)


def test_model_that_is_loading() -> None:
    """A service that is starting says how long."""
    body = {"error": "Model x is currently loading", "estimated_time": 20.5}

    assert error_mapping.from_status(503, body, {}).retry_after_s == 20.5


def test_gateway_says_what_the_service_said() -> None:
    """A gateway's general sentence is followed by the words and the name of the service behind it."""
    raw = '{"error": {"message": "Too hot today", "type": "x"}}'
    for said in (raw, "Too hot today"):
        body = error(
            "Provider returned error", code=502, metadata={"raw": said, "provider_name": "Acme"}
        )
        found = error_mapping.from_status(502, body, {})

        assert found.detail == "Provider returned error: Too hot today (Acme)"


@pytest.mark.parametrize("failed", ['<function=add>{"a": 1', {"a": 1}])
def test_failed_generation(failed: Any) -> None:
    """What the model wrote and the service could not use is kept."""
    body = error("Failed to call a function.", code="tool_use_failed", failed_generation=failed)
    text = failed if isinstance(failed, str) else '{"a": 1}'

    assert error_mapping.from_status(400, body, {}).failed_generation == text
    assert error_mapping.from_body(body).failed_generation == text
    assert error_mapping.from_status(400, error("x"), {}).failed_generation is None


def test_bytes_that_are_no_text() -> None:
    """A body in no encoding is an error like any other."""
    assert kind(500, b"\xff\xfe\x00") == "ServerError"
