"""Why a request has no recorded answer, in one line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from allos.replaying.recorded_answer import PROMPT_CHARS, summary
from allos.replaying.replay_file import Entry, Key
from allos.request import Request

_VALUE_CHARS = 40


def explain_miss(request: Request, key: Key, entries: Mapping[Key, Entry], name: str) -> str:
    """One line: which request, what the nearest recorded one asked otherwise, what to do.

    Parameters
    ----------
    request : Request
    key : tuple
        The request's hash and number.
    entries : mapping
        The recorded answers.
    name : str
        Name of the file.
    """
    asked = summary(request)
    digest, number = key
    who = f"{request.provider}/{asked['model']} (request {digest[:12]})"
    return (
        f"No recorded answer for {who} in {name!r}: {_reason(asked, digest, number, entries)}. "
        'Nothing was sent. Record it with mode="record", or use mode="replay", which asks for what '
        "is missing."
    )


def _reason(asked: dict[str, Any], digest: str, number: int, entries: Mapping[Key, Entry]) -> str:
    equal = sum(1 for recorded, _ in entries if recorded == digest)
    if equal:
        times = "once" if equal == 1 else f"{equal} times"
        return f"it was made {number + 1} times in this run and is recorded {times}"
    nearest = _nearest(asked, entries.values())
    if nearest is None:
        return "nothing is recorded yet"
    entry, differences = nearest
    where = f"line {entry.line}" if entry.line else "made in this run"
    return f"the nearest record, {where}, differs in {_listed(differences)}"


def _nearest(asked: dict[str, Any], entries: Iterable[Entry]) -> tuple[Entry, list[str]] | None:
    """The record that differs least; same endpoint and model go before everything else."""
    best: tuple[tuple[bool, bool, bool, int, int], Entry] | None = None
    for entry in entries:
        recorded = entry.values["request"]
        rank = (
            recorded.get("endpoint") != asked["endpoint"],
            recorded.get("model") != asked["model"],
            recorded.get("api") != asked["api"],
            len(_differences(recorded, asked)),
            -_common(recorded.get("prompt"), asked.get("prompt")),
        )
        if best is None or rank < best[0]:
            best = rank, entry
    if best is None:
        return None
    entry = best[1]
    found = _differences(entry.values["request"], asked)
    return entry, found or ["something that the file does not hold"]


def _differences(recorded: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    found = [
        f"{name} ({_shown(recorded.get(name))} recorded, {_shown(asked.get(name))} asked)"
        for name in ("endpoint", "model", "api", "tool_choice", "sample")
        if recorded.get(name) != asked.get(name)
    ]
    was, now = recorded.get("params") or {}, asked["params"]
    found += [
        f"{name} ({_shown(was.get(name))} recorded, {_shown(now.get(name))} asked)"
        for name in dict.fromkeys((*was, *now))
        if was.get(name) != now.get(name)
    ]
    found += _in_messages(recorded, asked)
    found += [
        name for name in ("tools", "schema", "extra") if recorded.get(name) != asked.get(name)
    ]
    return found


def _in_messages(recorded: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    was, now = recorded.get("messages") or [], asked["messages"]
    if len(was) != len(now):
        return [f"the number of messages ({len(was)} recorded, {len(now)} asked)"]
    last_user = max((at for at, turn in enumerate(now) if turn[0] == "user"), default=-1)
    found = []
    for at, (old, new) in enumerate(zip(was, now, strict=True)):
        if list(old) == list(new):
            continue
        where = f", {_place(recorded, asked)}" if at == last_user else ""
        found.append(f"message {at + 1} of {len(now)} ({new[0]}{where})")
    return found


def _place(recorded: dict[str, Any], asked: dict[str, Any]) -> str:
    """Where two prompts part; the words themselves are not for messages."""
    was, now = recorded.get("prompt"), asked.get("prompt")
    if was == now and len(was or "") <= PROMPT_CHARS:
        return "in its images or files"
    alike = _common(was, now)
    if alike >= PROMPT_CHARS:  # the file holds no more of it
        return f"after character {PROMPT_CHARS}"
    return f"from character {alike + 1}"


def _common(one: Any, other: Any) -> int:
    """How many characters two texts begin with alike."""
    if not isinstance(one, str) or not isinstance(other, str):
        return 0
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = str(value)
    return text if len(text) <= _VALUE_CHARS else f"{text[: _VALUE_CHARS - 1]}…"


def _listed(words: list[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
