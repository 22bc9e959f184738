from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allos.profiles import ModelProfile, ServiceProfile
from allos.wire.parameters import (
    VOCABULARY,
    apply,
    checked,
    extra_fields,
    model_profile,
    sampling_headers,
)
from tests.support.decoding import APIS, body, request

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
    profile = ServiceProfile(
        rename={"seed": "random_seed"},
        unsupported=("logprobs",),
        max_tokens_name="max_completion_tokens",
    )
    made = body("chat", params={"seed": 1, "logprobs": True, "max_tokens": 9}, profile=profile)

    assert made.body["random_seed"] == 1
    assert made.body["max_completion_tokens"] == 9
    assert "seed" not in made.body
    assert "max_tokens" not in made.body
    assert made.dropped == ("logprobs",)


REASONING = ServiceProfile(
    models=(
        ModelProfile(
            match=r"^o\d",
            max_tokens_name="max_completion_tokens",
            unsupported=("temperature",),
            sampling_efforts=("none",),
            reasoning=True,
        ),
        ModelProfile(match=r"^o", unsupported=("top_p",)),
    )
)


def test_model_profile() -> None:
    """The first row whose pattern fits the model counts; others are not searched."""
    named = body("chat", model="o3", params={"temperature": 1, "max_tokens": 5}, profile=REASONING)
    plain = body("chat", model="gpt", params={"temperature": 1, "max_tokens": 5}, profile=REASONING)

    assert named.dropped == ("temperature",)
    assert named.body["max_completion_tokens"] == 5
    assert plain.dropped == ()
    assert plain.body["max_tokens"] == 5
    assert model_profile(REASONING, "o3") is REASONING.models[0]
    assert model_profile(REASONING, "other") is REASONING.models[1]
    assert model_profile(REASONING, "gpt") is None


def test_sampling_is_back_without_reasoning() -> None:
    """With an effort that turns reasoning off, the model takes sampling parameters again."""
    params = {"temperature": 1, "effort": "none"}

    assert body("chat", model="o3", params=params, profile=REASONING).dropped == ()


def test_reasoning_models_return_their_reasoning() -> None:
    """Responses asks reasoning models, and only those, for what the next turn needs."""
    assert body("responses", model="o3", profile=REASONING).body["include"] == [
        "reasoning.encrypted_content"
    ]
    assert "include" not in body("responses", model="gpt", profile=REASONING).body


def test_sampling_header() -> None:
    """Where a model takes sampling only under an older version, the header goes along with it."""
    profile = ServiceProfile(
        unsupported=("temperature", "top_p"),
        models=(ModelProfile(match="^old", sampling_header={"anthropic-version": "2023-06-01"}),),
    )
    old = body("messages", model="old", params={"temperature": 0.1}, profile=profile)
    new = body("messages", model="new", params={"temperature": 0.1}, profile=profile)

    assert old.headers == {"anthropic-version": "2023-06-01"}
    assert old.body["temperature"] == 0.1
    assert new.headers is None
    assert new.dropped == ("temperature",)
    assert sampling_headers(request("messages", model="old", profile=profile)) is None


def test_apply_keeps_falsy_values() -> None:
    """Zero and False are values."""
    fields, dropped = apply(
        request("chat", params={"temperature": 0, "logprobs": False}),
        {"temperature": "temperature", "logprobs": "logprobs"},
    )

    assert fields == {"temperature": 0, "logprobs": False}
    assert dropped == ()


def test_stream_options() -> None:
    """Usage is requested in streams, except where the service refuses the option."""
    with_usage = body("chat", stream=True).body
    without = body("chat", stream=True, profile=ServiceProfile(stream_options=False)).body

    assert with_usage["stream_options"] == {"include_usage": True}
    assert without["stream"] is True
    assert "stream_options" not in without


def test_no_copy_is_kept() -> None:
    """Responses asks the service not to store the answer, unless the service has no such field."""
    assert body("responses").body["store"] is False
    assert "store" not in body("responses", profile=ServiceProfile(store=False)).body


# ---- values


@pytest.mark.parametrize(
    ("name", "value", "plain"),
    [
        ("temperature", 0, 0),
        ("temperature", np.float32(0.5), 0.5),
        ("top_p", 1, 1),
        ("max_tokens", 50.0, 50),
        ("max_tokens", np.int64(7), 7),
        ("stop", ("a", "b"), ["a", "b"]),
        ("stop", "END", "END"),
        ("seed", -3, -3),
        ("presence_penalty", -2, -2),
        ("logprobs", False, False),
        ("top_logprobs", 0, 0),
        ("logit_bias", {50256: -100}, {"50256": -100}),
        ("effort", "xhigh", "xhigh"),
    ],
)
def test_value(name: str, value: Any, plain: Any) -> None:
    """A value that can be meant comes back as plain Python, NumPy's numbers included."""
    found = checked(name, value)

    assert found == plain
    assert type(found) is type(plain)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("temperature", True),
        ("temperature", [0.1]),
        ("temperature", np.array([0.1, 0.2])),
        ("temperature", np.bool_(True)),
        ("top_p", 3),
        ("max_tokens", 0),
        ("max_tokens", 1.5),
        ("max_tokens", float("nan")),
        ("max_tokens", float("inf")),
        ("max_tokens", "50"),
        ("stop", ""),
        ("stop", []),
        ("stop", ["a", 1]),
        ("stop", b"END"),
        ("seed", 0.5),
        ("presence_penalty", 2.1),
        ("frequency_penalty", "low"),
        ("logprobs", 1),
        ("top_logprobs", -1),
        ("logit_bias", [1]),
        ("logit_bias", {"1": 101}),
        ("effort", "lots"),
        ("effort", 3),
    ],
)
def test_value_that_cannot_be_meant(name: str, value: Any) -> None:
    """A wrong value is one line that names the parameter, what it may be, and what it was."""
    with pytest.raises(ValueError, match=f"^{name} must ") as caught:
        checked(name, value)
    text = str(caught.value)

    assert "\n" not in text
    assert ", not " in text
    assert len(text) < 200


def test_a_near_word_is_offered() -> None:
    """A mistyped effort offers the word that was meant."""
    with pytest.raises(ValueError, match="Did you mean 'minimal'"):
        checked("effort", "minimum")


@pytest.mark.parametrize(
    "value", ["x", [1], {1: 2}, {"a": {1, 2}}, {"a": float("nan")}, {"a": b""}]
)
def test_extra_that_is_no_json(value: Any) -> None:
    """`extra` must fit into a JSON body."""
    with pytest.raises(ValueError, match=r"^extra must "):
        extra_fields(value)


def test_every_parameter_is_checked() -> None:
    """No parameter of the vocabulary goes out unlooked at."""
    for name in VOCABULARY:
        with pytest.raises(ValueError, match=name):
            checked(name, object())


# ---- effort

SWITCH = ServiceProfile(
    effort={"none": {"thinking": {"type": "disabled"}}, "*": {"thinking": {"type": "enabled"}}}
)
NESTED = ServiceProfile(effort={"*": {"reasoning": {"effort": "{effort}"}}})
TWO_WORDS = ServiceProfile(
    effort={"none": {"reasoning_effort": "none"}, "high": {"reasoning_effort": "high"}}
)


@pytest.mark.parametrize(
    ("profile", "effort", "fields", "dropped"),
    [
        (ServiceProfile(), "low", {"reasoning_effort": "low"}, ()),
        (SWITCH, "none", {"thinking": {"type": "disabled"}}, ()),
        (SWITCH, "low", {"thinking": {"type": "enabled"}}, ()),
        (NESTED, "xhigh", {"reasoning": {"effort": "xhigh"}}, ()),
        (TWO_WORDS, "high", {"reasoning_effort": "high"}, ()),
        (TWO_WORDS, "low", {}, ("effort=low",)),
    ],
)
def test_switch_of_a_vendor(
    profile: ServiceProfile, effort: str, fields: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    """A row maps each value of effort to its own fields; a value without fields is dropped."""
    made = body("chat", params={"effort": effort}, profile=profile)
    sent = {k: v for k, v in made.body.items() if k not in ("model", "messages")}

    assert sent == fields
    assert made.dropped == dropped


def test_switch_of_a_model() -> None:
    """A model's own words go before its service's."""
    profile = replace(SWITCH, models=(ModelProfile(match="^old", effort=TWO_WORDS.effort),))

    assert body("chat", model="old", params={"effort": "low"}, profile=profile).dropped
    assert not body("chat", model="new", params={"effort": "low"}, profile=profile).dropped


@pytest.mark.parametrize(
    ("effort", "thinking", "config", "dropped"),
    [
        ("none", {"type": "disabled"}, None, ()),
        ("minimal", None, None, ("effort=minimal",)),
        ("low", {"type": "adaptive"}, {"effort": "low"}, ()),
        ("max", {"type": "adaptive"}, {"effort": "max"}, ()),
    ],
)
def test_effort_on_messages(
    effort: str, thinking: Any, config: Any, dropped: tuple[str, ...]
) -> None:
    """Messages turns thinking off by a switch of its own, and knows no minimal effort."""
    made = body("messages", params={"effort": effort}, profile=SWITCH)

    assert made.body.get("thinking") == thinking
    assert made.body.get("output_config") == config
    assert made.dropped == dropped
