"""The tags in which models write reasoning, and whether one is meant as such or only spoken of."""

from __future__ import annotations

END_TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",  # Gemini, EXAONE
    "<reasoning>": "</reasoning>",
    "[think]": "[/think]",  # Mistral's open models
    "<seed:think>": "</seed:think>",
    "<mm:think>": "</mm:think>",  # MiniMax
    "<|channel>thought": "<channel|>",  # Gemma's open models
    "<|inner_prefix|>": "<|inner_suffix|>",  # Apertus
    "◁think▷": "◁/think▷",  # Kimi
    "<|start_thinking|>": "<|end_thinking|>",  # Cohere's open models
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
"""Start tag to end tag, in lower case: models differ in that."""
START_TAGS = {end: start for start, end in END_TAGS.items()}

_ALPHABETS_END = "\u2e80"
"""From here on scripts put no spaces between words, so that quotes open behind a letter too."""
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»"}


def opens_quote(text: str) -> bool:
    """Whether a text ends with a quotation mark or a backtick, which may quote what follows."""
    return text[-1:] in _QUOTES


def is_quoted(before: str, after: str, *, is_complete: bool) -> bool | None:
    """Whether a tag stands in quotes or in inline code; None while that is unknown.

    Parameters
    ----------
    before, after : str
        The text on both sides of it, as far as it has arrived.
    is_complete : bool
        Whether no more will come.
    """
    closing = _QUOTES.get(before[-1:])
    if closing is None or (closing == before[-1:] and _closes_quote(before[-2:-1])):
        return False
    return after.startswith(closing) if after or is_complete else None


def _closes_quote(behind: str) -> bool:
    """Whether a quotation mark behind this character ends a quote, or is one of a code fence."""
    return behind in ("`", *".!?)]}…%") or (behind.isalnum() and behind < _ALPHABETS_END)


def is_mentioned(before: str, after: str, *, is_complete: bool) -> bool | None:
    """Whether a tag is quoted, or a word of a sentence: ``the </think> tag``; see `is_quoted`."""
    quoted = is_quoted(before, after, is_complete=is_complete)
    if quoted is not False:
        return quoted
    if not (before[-1:] == " " and before[-2:-1].isalnum()):
        return False
    if len(after) < 2 and not is_complete:
        return None
    is_sentence_end = after[:1] in tuple(".,;:!?)") and not after[1:2].isalnum()
    return not after or is_sentence_end or (after[0] == " " and after[1:2].islower())
