"""The chat template that an embedded model is served with."""

from __future__ import annotations

from allos.local.chat_template import served_template

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\n" + SYSTEM + "<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def test_smollm2_has_no_system_prompt_of_its_own() -> None:
    """Only the built-in system prompt is taken out; the messages of a request stay."""
    served = served_template(SMOLLM2)

    assert served == (
        "{% for message in messages %}"
        "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )


def test_other_models_have_their_own_template() -> None:
    """A template that allos does not know is the model's own."""
    assert served_template(None) is None
    assert served_template(SMOLLM2.replace("SmolLM", "Other")) is None
