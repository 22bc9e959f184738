from __future__ import annotations

from typing import Any

import pytest

from allos.types import ModelQuirks, Quirks
from allos.wire.parameters import VOCABULARY, apply, model_quirks, sampling_headers
from tests.decoding import APIS, body, request

EVERYTHING: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.9,
    "max_tokens": 50,
    "stop": "END",
    "seed": 7,
    "presence_penalty": 0.1,
    "frequency_penalty": 0.2,
    "logprobs": True,
    "top_logprobs": 3,
    "logit_bias": {"1": 5},
    "effort": "low",
}


@pytest.mark.parametrize(
    ("api", "fields", "dropped"),
    [
        (
            "chat",
            {
                **{k: v for k, v in EVERYTHING.items() if k != "effort"},
                "reasoning_effort": "low",
            },
            set(),
        ),
        (
            "responses",
            {
                "temperature": 0.5,
                "top_p": 0.9,
                "max_output_tokens": 50,
                "top_logprobs": 3,
                "reasoning": {"effort": "low"},
                "store": False,
            },
            {"stop", "seed", "presence_penalty", "frequency_penalty", "logprobs", "logit_bias"},
        ),
        (
            "messages",
            {
                "temperature": 0.5,
                "top_p": 0.9,
                "max_tokens": 50,
                "stop_sequences": ["END"],
                "output_config": {"effort": "low"},
                "thinking": {"type": "adaptive"},
            },
            {
                "seed",
                "presence_penalty",
                "frequency_penalty",
                "logprobs",
                "top_logprobs",
                "logit_bias",
            },
        ),
    ],
)
def test_vocabulary(api: Any, fields: dict[str, Any], dropped: set[str]) -> None:
    """Each parameter goes out under the API's own name, or is named as dropped."""
    made = body(api, params=EVERYTHING)
    sent = {k: v for k, v in made.body.items() if k not in ("model", "messages", "input")}

    assert set(EVERYTHING) == set(VOCABULARY)
    assert sent == fields
    assert set(made.dropped) == dropped


@pytest.mark.parametrize("api", APIS)
def test_nothing_is_sent_unasked(api: Any) -> None:
    """Strict services refuse unknown fields, so a plain request holds the least there is."""
    made = body(api)
    allowed = {
        "chat": {"model", "messages"},
        "responses": {"model", "input", "store"},
        "messages": {"model", "messages", "max_tokens"},
    }

    assert set(made.body) == allowed[api]
    assert made.dropped == ()


@pytest.mark.parametrize("api", APIS)
def test_extra_goes_in_as_it_is(api: Any) -> None:
    """`extra` adds fields to the body and replaces ours."""
    made = body(api, extra={"top_k": 4, "model": "other"})

    assert made.body["top_k"] == 4
    assert made.body["model"] == "other"


def test_service_quirks() -> None:
    """A row renames a field, refuses a parameter, and names the token limit in its own way."""
    quirks = Quirks(
        rename={"seed": "random_seed"},
        unsupported=("logprobs",),
        max_tokens_name="max_completion_tokens",
    )
    made = body("chat", params={"seed": 1, "logprobs": True, "max_tokens": 9}, quirks=quirks)

    assert made.body["random_seed"] == 1
    assert made.body["max_completion_tokens"] == 9
    assert "seed" not in made.body
    assert "max_tokens" not in made.body
    assert made.dropped == ("logprobs",)


REASONING = Quirks(
    models=(
        ModelQuirks(
            match=r"^o\d",
            max_tokens_name="max_completion_tokens",
            unsupported=("temperature",),
            sampling_efforts=("none",),
            reasoning=True,
        ),
        ModelQuirks(match=r"^o", unsupported=("top_p",)),
    )
)


def test_model_quirks() -> None:
    """The first row whose pattern fits the model counts; others are not asked."""
    named = body("chat", model="o3", params={"temperature": 1, "max_tokens": 5}, quirks=REASONING)
    plain = body("chat", model="gpt", params={"temperature": 1, "max_tokens": 5}, quirks=REASONING)

    assert named.dropped == ("temperature",)
    assert named.body["max_completion_tokens"] == 5
    assert plain.dropped == ()
    assert plain.body["max_tokens"] == 5
    assert model_quirks(REASONING, "o3") is REASONING.models[0]
    assert model_quirks(REASONING, "other") is REASONING.models[1]
    assert model_quirks(REASONING, "gpt") is None


def test_sampling_is_back_without_reasoning() -> None:
    """With an effort that turns reasoning off, the model takes sampling parameters again."""
    params = {"temperature": 1, "effort": "none"}

    assert body("chat", model="o3", params=params, quirks=REASONING).dropped == ()


def test_reasoning_models_return_their_reasoning() -> None:
    """Responses asks reasoning models, and only those, for what the next turn needs."""
    assert body("responses", model="o3", quirks=REASONING).body["include"] == [
        "reasoning.encrypted_content"
    ]
    assert "include" not in body("responses", model="gpt", quirks=REASONING).body


def test_sampling_header() -> None:
    """Where a model takes sampling only under an older version, the header goes along with it."""
    quirks = Quirks(
        unsupported=("temperature", "top_p"),
        models=(ModelQuirks(match="^old", sampling_header={"anthropic-version": "2023-06-01"}),),
    )
    old = body("messages", model="old", params={"temperature": 0.1}, quirks=quirks)
    new = body("messages", model="new", params={"temperature": 0.1}, quirks=quirks)

    assert old.headers == {"anthropic-version": "2023-06-01"}
    assert old.body["temperature"] == 0.1
    assert new.headers is None
    assert new.dropped == ("temperature",)
    assert sampling_headers(request("messages", model="old", quirks=quirks)) is None


def test_apply_keeps_falsy_values() -> None:
    """Zero and False are values."""
    fields, dropped = apply(
        request("chat", params={"temperature": 0, "logprobs": False}),
        {"temperature": "temperature", "logprobs": "logprobs"},
    )

    assert fields == {"temperature": 0, "logprobs": False}
    assert dropped == ()


def test_stream_options() -> None:
    """Usage is asked for in streams, except where the service refuses the question."""
    with_usage = body("chat", stream=True).body
    without = body("chat", stream=True, quirks=Quirks(stream_options=False)).body

    assert with_usage["stream_options"] == {"include_usage": True}
    assert without["stream"] is True
    assert "stream_options" not in without


def test_no_copy_is_kept() -> None:
    """Responses asks the service not to store the answer, unless the service has no such field."""
    assert body("responses").body["store"] is False
    assert "store" not in body("responses", quirks=Quirks(store=False)).body
