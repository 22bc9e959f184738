"""What services call an error, in codes and in words, by the class of error that it is.

Sources: the error pages of OpenAI, Anthropic, Google (google.rpc.ErrorInfo), Azure, Groq, Mistral,
Together, Fireworks, Cerebras, Cohere, DeepSeek, Moonshot, DashScope, OpenRouter, xAI, vLLM, llama.cpp
and LiteLLM, as of 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from allos.errors import (
    AuthenticationError,
    BadRequestError,
    ContentFilterError,
    ContextLengthError,
    ModelNotFoundError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaError,
    RateLimitError,
    ServerError,
)

Kind = type[ProviderError]

_CODES: dict[Kind, str] = {
    AuthenticationError: "invalid_api_key incorrect_api_key api_key_invalid api_key_expired"
    " api_key_not_found missing_api_key no_api_key authentication_error authentication_failed"
    " invalid_authentication invalid_authentication_error auth_error unauthenticated unauthorized"
    " invalid_auth_token expired_token token_expired invalid_credentials account_deactivated"
    " unrecognized_client_exception access_token_type_unsupported access_token_expired"
    " credentials_missing expired_token_exception invalid_signature_exception",
    PermissionDeniedError: "unsupported_country_region_territory"
    " unsupported_location service_disabled api_key_service_blocked api_key_http_referrer_blocked"
    " api_key_ip_address_blocked api_key_android_app_blocked api_key_ios_app_blocked"
    " ip_not_allowed ip_not_authorized ip_blocked insufficient_permissions missing_scopes"
    " access_denied_exception organization_restricted consumer_suspended iam_permission_denied"
    " user_project_denied location_policy_violated org_restriction_violation"
    " security_policy_violated model_permission_blocked_project model_permission_blocked_org"
    " model_terms_required",
    QuotaError: "insufficient_quota insufficient_user_quota insufficient_credits insufficient_balance"
    " insufficient_funds billing_error billing_hard_limit_reached billing_not_active"
    " billing_limit_user_error billing_disabled credit_balance_too_low credit_limit_exceeded"
    " out_of_credits not_enough_credits exceeded_current_quota_error pre_consume_token_quota_failed"
    " payment_required payment_required_error payment_method_required arrearage account_overdue"
    " budget_exceeded allocation_quota_free_tier_only spending_limit_reached",
    RateLimitError: "rate_limit_exceeded rate_limit_exceeded_error rate_limit_error rate_limit"
    " rate_limited rate_limit_reached rate_limit_reached_error model_rate_limit too_many_requests"
    " too_many_requests_error too_many_tokens_error token_quota_exceeded request_quota_exceeded"
    " tokens requests tokens_per_minute requests_per_minute request_limit_exceeded"
    " concurrency_limit_exceeded throttling throttled throttling_exception throttling_rate_quota"
    " throttling_allocation_quota throttling_burst_rate service_quota_exceeded_exception"
    " policies_ratelimit_spike_arrest_violation policies_ratelimit_quota_violation",
    ServerError: "overloaded_error overloaded engine_overloaded_error server_overloaded"
    " model_overloaded capacity_exceeded model_not_ready_exception model_error_exception",
    ContextLengthError: "context_length_exceeded context_window_exceeded"
    " model_context_window_exceeded exceed_context_size_error context_length_exceeded_error"
    " prompt_too_long input_too_long model_max_prompt_tokens_exceeded",
    ContentFilterError: "content_filter content_filtered content_policy_violation"
    " responsible_ai_policy_violation data_inspection_failed moderation_blocked prompt_blocked",
    ModelNotFoundError: "model_not_found model_not_found_error model_not_available"
    " model_decommissioned model_deprecated model_terminated model_not_exist invalid_model"
    " unknown_model no_such_model model_not_supported deployment_not_found",
    ProviderTimeoutError: "request_timeout deadline_exceeded gateway_timeout model_timeout_exception",
}
"""Codes that say all by themselves."""

_WEAK_CODES: dict[Kind, str] = {
    AuthenticationError: "permission_error permission_denied forbidden request_forbidden access_denied",
    BadRequestError: "invalid_request_error invalid_request invalid_argument bad_request"
    " bad_request_error failed_precondition invalid_parameter request_too_large",
    ModelNotFoundError: "not_found_error",
    RateLimitError: "resource_exhausted",
    ServerError: "api_error server_error internal internal_error internal_server_error unavailable"
    " service_unavailable",
    ProviderTimeoutError: "timeout_error timeout",
}
"""Codes that say no more than a status does."""


def _letters(code: str) -> str:
    """A code without its spelling: `InvalidApiKey` and `invalid_api_key` are one."""
    return re.sub(r"[^a-z0-9]", "", code.lower())


# Built and compiled when first needed: nearly every process meets no error, or one kind of it.
@cache
def _by_letters(*, is_strong: bool) -> dict[str, Kind]:
    codes = _CODES if is_strong else _WEAK_CODES
    return {_letters(name): kind for kind, names in codes.items() for name in names.split()}


@cache
def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(words, re.I | re.S)


def _first_of(codes: Iterable[str], known: dict[str, Kind]) -> Kind | None:
    return next((kind for code in codes if (kind := known.get(_letters(code)))), None)


def by_code(codes: Iterable[str]) -> Kind | None:
    """Class of the first code that says all by itself."""
    return _first_of(codes, _by_letters(is_strong=True))


def by_weak_code(codes: Iterable[str]) -> Kind | None:
    """Class of the first code that says as much as a status does."""
    return _first_of(codes, _by_letters(is_strong=False))


# ---- words ---------------------------------------------------------------------------------------

_KEY = (
    r"(?:x-)?api[ _-]?(?:key|token|secret)s?|(?:secret|subscription|license) key"
    r"|(?:access|auth\w*|bearer|security|proxy server) token|(?:the|your|user) token"
    r"|auth(?:entication|orization)? (?:header|credentials?)|credentials"
)
_BAD = (
    r"invalid|incorrect|not valid|wrong|expired|revoked|unknown|malformed|missing|not found"
    r"|not recogni[sz]ed|unrecogni[sz]ed|disabled|inactive|leaked|required|rejected"
    r"|not (?:provided|given|set|configured)"
)
_WORDS: dict[Kind, str] = {
    AuthenticationError: rf"\b(?:{_BAD})\W{{0,3}}(?:{_KEY})\b"
    rf"|\b(?:{_KEY})\b[^.\n]{{0,60}}?\b(?:{_BAD})\b"
    r"|unauthenticated|unauthorized|authenti\w+ (?:failed|error|required)|authorization failed"
    r"|no auth credentials|invalid authenti\w+|login fail|(?:provide|provided|need|carry) "
    rf"(?:an? |any |the |your |valid )*(?:{_KEY})\b|\bno (?:valid )?(?:{_KEY})\b"
    r"|\binvalid token\W*$|无效的令牌|身份验证失败",
    PermissionDeniedError: r"user location|your (?:current )?(?:country|region|location)\b"
    r"|country, region|countr(?:y|ies) (?:is|are) not|region (?:is )?not supported",
    QuotaError: r"insufficient[ _-]?(?:user[ _-]?)?(?:quota|balance|credit|funds)|credit balance"
    r"|balance (?:is )?(?:too low|insufficient|not enough|exhausted)"
    r"|(?:out of|not? have (?:any|enough)|n.t have (?:any|enough)|run out of|used up|exceeded|no)"
    r"\b[^.\n]{0,30}\bcredits?\b|in arrears|overdue|purchase (?:more )?credits"
    r"|credits? (?:are|is|have been|has been) (?:depleted|exhausted|used up)"
    r"|billing (?:hard )?limit|payment (?:is )?required|api usage limits|key limit exceeded"
    r"|\b(?:spending|spend|budget) (?:limit|cap)\b|used (?:up )?all\b[^.\n]{0,30}\bcredits?\b"
    r"|budget has been exceeded|free tier\b[^.\n]{0,40}\bexhausted|requires billing"
    r"|余额不足|额度不足|欠费",
    RateLimitError: r"rate[ _-]?limit|too many requests|(?:requests?|tokens?|calls?) ?(?:per|/) ?"
    r"(?:second|sec|minute|min|hour|day|week)|\b(?:RPM|TPM|RPD|TPD|RPS)\b|throttl|slow down"
    r"|\bper[ _-](?:second|minute|hour|day|model)\b|(?:try|retry) again in|please retry in"
    r"|wait before trying|请求过于频繁|速率限制",
    ContextLengthError: r"context[ _-]?(?:length|window|size|limit)|maximum context|prompt is too long"
    r"|too many tokens(?!, please wait)|maximum prompt length|(?:prompt|input) token count"
    r"|model token limit|prompt exceeds max length|range of input length"
    r"|\binputs\b.{0,60}\bmust (?:be <=|have less than)|exceeds? the (?:available |maximum )?context|input is too long"
    r"|\b(?:input|prompt)\b.{0,80}\bexceed\w*\b.{0,60}\b(?:tokens|maximum length)\b"
    r"|reduce the length of",
    ContentFilterError: r"content[ _-]?(?:filter|policy|management)|responsible ai|safety system"
    r"|\bflagged\b|requires moderation|usage (?:policy|policies|guidelines)|inappropriate content"
    r"|content exists risk|put new_sensitive|敏感内容",
    ModelNotFoundError: r"model[ _-]?not[ _-]?(?:found|available)|not_found_error model:"
    r"|decommissioned|unknown model|no such model|invalid[ _]model|not a valid model"
    r"|not found the model|deployment[ _]?not[ _]?found|deployment\b.{0,80}?\bdoes not exist"
    r"|\bmodels?\b.{0,80}?\b(?:does not exist|doesn't exist|not found|not exist|is not available)"
    # The model itself, not a parameter of it.
    r"|\bmodels?\b\W{0,3}\S{0,80}\s+(?:(?:is|are)\s+)?not supported"
    r"|unsupported model|unable to access model|no endpoints found for|model identifier is invalid"
    r"|\bmodels?\b.{0,80}?\b(?:was|(?:has|have) been|is) (?:removed|retired|shut down)",
    ServerError: r"internal (?:server )?error|unknown error|overloaded|unavailable|at capacity"
    r"|over capacity|upstream|timed? ?out|disconnected|try again later|something went wrong",
}
_REFUSED = (
    r"firewall|cloudflare|captcha|blocked|access(?: is)? denied|access(?: is)? forbidden"
    r"|error code: 10\d\d|network polic|(?:have|has) (?:no )?(?:access|permission)"
    r"|not (?:permitted|authori[sz]ed|entitled|allowed|enabled)|insufficient permission|\bgated\b"
    r"|denied access|\bpermission\b.{0,80}\bdenied\b|not have \S{1,40} permission|is restricted"
    r"|public access is disabled|private endpoint"
)
_BILL = r"billing|payment|current quota"
_TOO_LARGE = r"request too large|must be reduced"

WHOLE_REQUEST = (
    AuthenticationError,
    ContextLengthError,
    PermissionDeniedError,
    RateLimitError,
    QuotaError,
    ModelNotFoundError,
    ContentFilterError,
)
"""Order in which the words of a refused request are read: words of one class may stand in the
message of another one that comes before it."""
FORBIDDEN = (
    PermissionDeniedError,
    ContentFilterError,
    QuotaError,
    AuthenticationError,
    ModelNotFoundError,
    RateLimitError,
)
BROKEN = (AuthenticationError, ContextLengthError, RateLimitError)
"""A service that fails names models and limits for other reasons too."""


def by_words(message: str, order: Iterable[Kind]) -> Kind | None:
    """Class of error that a message speaks of, the first one in `order`."""
    return next((kind for kind in order if _pattern(_WORDS[kind]).search(message)), None)


def is_refused_access(message: str) -> bool:
    """Whether a message with status 403 is about something else than the key."""
    return bool(_pattern(_REFUSED).search(message)) and not _pattern(_KEY).search(message)


def is_billing(message: str) -> bool:
    """Whether a message with status 429 is about an account, if it is not about a rate."""
    return _pattern(_BILL).search(message) is not None


def is_too_large(message: str) -> bool:
    """Whether a request alone exceeds a rate limit, so that waiting does not help."""
    return _pattern(_TOO_LARGE).search(message) is not None
