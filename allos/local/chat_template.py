"""Chat templates of embedded models, where allos serves another one than the model file's own."""

from __future__ import annotations

_SMOLLM2_SYSTEM_PROMPT = (
    "{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\n"
    "You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
)


def served_template(own: str | None) -> str | None:
    """Chat template to serve a model with; None: its own.

    SmolLM2's own template adds a system prompt where a request has none, with which its smallest model
    answers simple questions worse: 13 of 20 right, and 18 without it (`tests/model/test_questions.py`).

    Parameters
    ----------
    own : str or None
        Chat template of the model file.

    Examples
    --------
    >>> served_template("{{ messages }}") is None
    True
    """
    if own is None or _SMOLLM2_SYSTEM_PROMPT not in own:
        return None
    return own.replace(_SMOLLM2_SYSTEM_PROMPT, "")
