"""Whether an answer says which model gave it: then a vote on it is not blind."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VENDORS = {
    "OpenAI": r"openai|chat\s?gpt|gpt-?[345o][\w.-]*",
    "Anthropic": r"anthropic|claude",
    "Google": r"google deepmind|deepmind|gemini|gemma",
    "Meta": r"meta ai|llama[\d.-]*",
    "Mistral": r"mistral|mixtral|ministral|magistral",
    "DeepSeek": r"deepseek",
    "Alibaba": r"alibaba|qwen[\d.]*|qwq|通义千问|千问",
    "xAI": r"xai|grok",
    "Cohere": r"cohere|command-?r\+?",
    "Microsoft": r"microsoft|phi-?[34][\w.-]*|copilot",
    "Amazon": r"amazon nova|bedrock",
    "Moonshot": r"moonshot|kimi",
    "Zhipu": r"zhipu|chatglm|glm-?4[\w.]*",
    "MiniMax": r"minimax",
    "IBM": r"ibm granite|watsonx",
    "NVIDIA": r"nvidia|nemotron",
    "Hugging Face": r"hugging\s?face|smollm\d*",
}
_EDGE = r"(?<![A-Za-z0-9]){}(?![A-Za-z0-9])"  # Chinese has no blanks between words
_VENDOR = re.compile(
    _EDGE.format(
        "(?:" + "|".join(f"(?P<v{at}>{p})" for at, p in enumerate(_VENDORS.values())) + ")"
    ),
    re.IGNORECASE,
)
_NAMES = list(_VENDORS)
_MIN_CHARS = 4
"""A shorter part of a model's name, such as ``pro`` or ``8b``, is an ordinary word."""


def named_vendor(text: str, models: Iterable[str] = (), prompt: str = "") -> str:
    """Name of the vendor, or of one of the models, that a text mentions; empty when none.

    Parameters
    ----------
    text : str
        An answer.
    models : iterable of str
        ``provider/model`` names that are compared.
    prompt : str
        What was asked: a name in it tells nothing.

    Examples
    --------
    >>> named_vendor("I am ChatGPT, a model of OpenAI.")
    'OpenAI'
    >>> named_vendor("Sure! As SmolLM2 I can help.", ["local/smollm2"])
    'Hugging Face'
    >>> named_vendor("Compare Claude with others.", prompt="Which is better, Claude or Gemini?")
    ''
    """
    asked = prompt.lower()
    for found in _VENDOR.finditer(text):
        if found.group().lower() not in asked:
            return _NAMES[int((found.lastgroup or "v0")[1:])]
    for name in models:
        for part in re.split(r"[/:]", name):
            is_telling = len(part) >= _MIN_CHARS and not part.isalpha()
            if is_telling and part.lower() in text.lower() and part.lower() not in asked:
                return part
    return ""
