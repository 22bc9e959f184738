"""Every way in which a call fails is one sentence of its own that says the next step."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_server import FakeServer, Fault, Reply
from tests.support.jupyter import Kernel

KEY = "gsk-of-the-test"
REPLY = Reply("A few words that come in pieces.")


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer() as started:
        yield started


@pytest.fixture(scope="module")
def kernel(server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """One kernel for all: a failing cell leaves nothing behind for the next one."""
    environment = {
        "GROQ_BASE_URL": server.base_url,
        "GROQ_API_KEY": KEY,
        "TOGETHER_BASE_URL": "http://127.0.0.1:9/v1",  # the discard port: nobody listens
        "TOGETHER_API_KEY": KEY,
        "MISTRAL_BASE_URL": "https://no-such-host.invalid/v1",
        "MISTRAL_API_KEY": KEY,
    }
    with Kernel(tmp_path_factory.mktemp("kernel"), environment) as started:
        started.run(
            "%load_ext allos\nimport allos\n"
            "from dataclasses import replace\nfrom allos.engine import retry\n"
            "retry.policy = replace(retry.policy, base_s=0, max_hint_s=0)"
        )
        yield started


def _sentence(kernel: Kernel, cell: str) -> tuple[str | None, str]:
    result = kernel.run(cell)
    text = str(result.evalue)

    assert result.status == "error", result
    assert result.traceback == [text], "the whole error is its one sentence"
    assert "\n" not in text
    assert KEY not in str(result.messages)
    return result.ename, text


@pytest.mark.parametrize(
    ("fault", "name", "sentence"),
    [
        (
            Fault.bad_key(),
            "AuthenticationError",
            "groq/m: the key was not accepted (401): Incorrect API key provided: ***. Check it in "
            "your account settings. The key came from GROQ_API_KEY: correct it there, or pass "
            "api_key=.",
        ),
        (
            Fault.status(402, message="No credit"),
            "QuotaError",
            "groq/m: the account has no credit left (402): No credit. Top up the account, or choose "
            "another provider.",
        ),
        (
            Fault.context_length(),
            "ContextLengthError",
            "groq/m: the prompt does not fit the model's context window (400): This model's maximum "
            "context length is 8192 tokens. However, your messages resulted in 9001 tokens. Please "
            "reduce the length of the messages. Shorten the prompt or choose a model with a larger "
            "window.",
        ),
        (
            Fault.status(400, message="temperature is too high"),
            "BadRequestError",
            "groq/m: the request was rejected (400): temperature is too high. Correct the request; "
            "the same one would be rejected again.",
        ),
        (
            Fault.status(429, message="Slow down"),
            "RateLimitError",
            "groq/m: rate limited (429): Slow down. Tried 6 times. Try later, or send less at a "
            "time: max_in_flight, requests_per_minute.",
        ),
        (
            Fault.status(500, message="Oops"),
            "ServerError",
            "groq/m: the service failed (500): Oops. Tried 6 times. Try again later, or choose "
            "another provider.",
        ),
        (
            Fault.status(529),
            "ServerError",
            "groq/m: the service failed (529): Overloaded. Tried 6 times. Try again later, or choose "
            "another provider.",
        ),
        (
            Fault.empty(),
            "InvalidResponseError",
            "groq/m: no usable answer: the answer is empty. Ask again, or raise max_tokens: thinking "
            "may have used them up.",
        ),
        (
            Fault.truncate(after_deltas=2, reply=REPLY),
            "IncompleteStreamError",
            "groq/m: the answer broke off: the stream ended before the answer was complete. What had "
            "arrived is kept in .response and in the log.",
        ),
        (
            Fault.html(),
            "InvalidResponseError",
            "groq/m: no usable answer: the service answered with text/html instead of an answer: "
            "Sign in. Check base_url and api: what answered may not be that API.",
        ),
        (
            Fault.redirect("https://elsewhere.example/v1"),
            "InvalidResponseError",
            "groq/m: no usable answer (307): the service redirects to https://elsewhere.example, "
            "which is not followed, since prompt and key would go there; set base_url to the new "
            "address if you trust it. Check base_url and api: what answered may not be that API.",
        ),
    ],
    ids=lambda value: value.kind + str(value.code) if isinstance(value, Fault) else "",
)
def test_fault_is_its_own_sentence(
    kernel: Kernel, server: FakeServer, fault: Fault, name: str, sentence: str
) -> None:
    """The cell fails with the error's class, and shows who failed, how, and what to do."""
    server.reply(fault)
    ename, text = _sentence(kernel, "%%allos groq/m\nHello")

    assert ename == name
    assert text == sentence


def test_unknown_model_says_where_the_models_are(kernel: Kernel, server: FakeServer) -> None:
    """A model that the service does not have leads to the list of those it has."""
    server.reply(Fault.model_not_found())
    ename, text = _sentence(kernel, "%%allos groq/nope\nHello")

    assert ename == "ModelNotFoundError"
    assert text.startswith("groq/nope: the service has no such model (404): ")
    assert "list_models()" in text


def test_silence_is_a_time_out(kernel: Kernel, server: FakeServer) -> None:
    """A server that says nothing is given up after the timeout, and the sentence names the knob."""
    server.reply(Fault.stall())
    cell = '%%allos groq/m --params \'{"timeout_s": 0.2, "max_attempts": 2}\'\nHello'
    ename, text = _sentence(kernel, cell)

    assert ename == "ProviderTimeoutError"
    assert text == (
        "groq/m: timed out: nothing arrived within the timeout. Tried 2 times. Pass a larger "
        "timeout_s or deadline_s if the model is slow."
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("together/m", "Connection refused. Is the server running? Tried 6 times."),
        ("mistral/m", "the host name is not known. Tried 6 times."),
    ],
)
def test_no_network_is_its_own_sentence(kernel: Kernel, model: str, words: str) -> None:
    """Nobody there, or no such host: said in a word each."""
    ename, text = _sentence(kernel, f"%%allos {model}\nHello")

    assert ename == "ProviderConnectionError"
    assert text == f"{model}: no answer: {words} Check base_url, the network and the proxy."


def test_missing_key_reads_as_designed(kernel: Kernel) -> None:
    """The three ways to give a key, and that nothing was sent."""
    ename, text = _sentence(kernel, "%%allos openai/gpt-5-mini\nHello")

    assert ename == "MissingKeyError"
    assert text == (
        "No key for 'openai': set OPENAI_API_KEY in the environment, run %allos key openai, "
        "or pass api_key=. Nothing was sent."
    )


def test_a_person_gets_a_rule_for_line_breaks_before_an_error(kernel: Kernel) -> None:
    """Once, of a magic and of a call in Python, and nothing to see; who runs a notebook unattended gets none."""
    for cell in ("%%allos grok/m\nHi", "allos.ask('Hi', model='grok/m')"):
        seen = kernel.run(cell)
        unattended = kernel.run(cell, allow_stdin=False)

        (data,) = [message["content"]["data"] for message in seen.displays]
        assert "allos-error-rule" in data["text/html"]
        assert data["text/plain"] == ""
        assert unattended.displays == []
