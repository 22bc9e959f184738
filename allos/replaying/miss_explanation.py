"""Why a request has no recorded answer, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allos.replaying.recorded_answer import PROMPT_CHARS, summary
from allos.replaying.replay_file import Entry, Key
from allos.request import Request

_MAX_VALUE_CHARS = 40


def explain_miss(request: Request, key: Key, entries: Mapping[Key, Entry], name: str) -> str:
    """Message with the request, in what the closest recorded one differs, and what to do.

    Parameters
    ----------
    request : Request
    key : tuple
        Hash and number of the request.
    entries : mapping
        The recorded answers.
    name : str
        Name of the file.
    """
    requested = summary(request)
    digest, number = key
    label = f"{request.provider}/{requested['model']} (request {digest[:12]})"
    return (
        f"No recorded answer for {label} in {name!r}: {_reason(requested, digest, number, entries)}. "
        'Nothing was sent. Record it with mode="record", or use mode="replay", which sends requests '
        "that are not recorded."
    )


def _reason(
    requested: dict[str, Any], digest: str, number: int, entries: Mapping[Key, Entry]
) -> str:
    equal = sum(1 for recorded, _ in entries if recorded == digest)
    if equal:
        times = "once" if equal == 1 else f"{equal} times"
        return f"it was made {number + 1} times in this run and is recorded {times}"
    closest = _closest(requested, entries.values())
    if closest is None:
        return "nothing is recorded yet"
    differences = _differences(closest.values["request"], requested)
    where = f"line {closest.line}" if closest.line else "made in this run"
    return (
        f"the closest record, {where}, differs in "
        f"{_join(differences or ['something that the file does not contain'])}"
    )


def _closest(requested: dict[str, Any], entries: Iterable[Entry]) -> Entry | None:
    """The record that differs least; endpoint and model outrank everything else."""
    best: tuple[tuple[bool, bool, bool, int, int], Entry] | None = None
    for entry in entries:
        recorded = entry.values["request"]
        rank = (
            recorded.get("endpoint") != requested["endpoint"],
            recorded.get("model") != requested["model"],
            recorded.get("api") != requested["api"],
            len(_differences(recorded, requested)),
            -_common_prefix(recorded.get("prompt"), requested.get("prompt")),
        )
        if best is None or rank < best[0]:
            best = rank, entry
    return None if best is None else best[1]


def _differences(recorded: dict[str, Any], requested: dict[str, Any]) -> list[str]:
    found = [
        _difference(name, recorded.get(name), requested.get(name))
        for name in ("endpoint", "model", "api", "tool_choice", "sample")
        if recorded.get(name) != requested.get(name)
    ]
    old, new = recorded.get("params") or {}, requested["params"]
    found += [
        _difference(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
    found += _message_differences(recorded, requested)
    found += [
        name for name in ("tools", "schema", "extra") if recorded.get(name) != requested.get(name)
    ]
    return found


def _difference(name: str, recorded: Any, requested: Any) -> str:
    return f"{name} ({_short(recorded)} recorded, {_short(requested)} requested)"


def _message_differences(recorded: dict[str, Any], requested: dict[str, Any]) -> list[str]:
    old, new = recorded.get("messages") or [], requested["messages"]
    if len(old) != len(new):
        return [f"the number of messages ({len(old)} recorded, {len(new)} requested)"]
    last_user = max((at for at, turn in enumerate(new) if turn[0] == "user"), default=-1)
    found = []
    for at, (before, after) in enumerate(zip(old, new, strict=True)):
        if list(before) == list(after):
            continue
        where = f", {_prompt_difference(recorded, requested)}" if at == last_user else ""
        found.append(f"message {at + 1} of {len(new)} ({after[0]}{where})")
    return found


def _prompt_difference(recorded: dict[str, Any], requested: dict[str, Any]) -> str:
    """Where two prompts begin to differ; their text must not appear in messages."""
    old, new = recorded.get("prompt"), requested.get("prompt")
    if old == new and len(old or "") <= PROMPT_CHARS:
        return "in its images or files"
    common = _common_prefix(old, new)
    if common >= PROMPT_CHARS:  # the file contains no more of it
        return f"after character {PROMPT_CHARS}"
    return f"from character {common + 1}"


def _common_prefix(one: Any, other: Any) -> int:
    """Length of the longest common prefix of two strings."""
    if not isinstance(one, str) or not isinstance(other, str):
        return 0
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = str(value)
    return text if len(text) <= _MAX_VALUE_CHARS else f"{text[: _MAX_VALUE_CHARS - 1]}…"


def _join(items: list[str]) -> str:
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last
