"""Responses of Chat Completions, chunk by chunk or complete, to events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from allos.errors import IncompleteStreamError
from allos.events import (
    Citation,
    Event,
    Finished,
    FinishReason,
    LogprobsDelta,
    RawPart,
    ReasoningDelta,
    RefusalDelta,
    ResponseFacts,
    TextDelta,
    Unplaced,
)
from allos.wire import error_mapping
from allos.wire.decoder import Decoder
from allos.wire.error_bodies import reported_error, reports_failure
from allos.wire.finish_reasons import finish_reason, finish_word
from allos.wire.json_fields import json_dict, text
from allos.wire.logprobs import token_logprobs
from allos.wire.openai_chat_choices import ChoicePicker
from allos.wire.openai_chat_fields import (
    BESIDE_TEXT,
    CHOICE_FIELDS,
    CHUNK_FIELDS,
    MESSAGE_FIELDS,
    PLAIN_CHOICE_FIELDS,
    PLAIN_CHUNK_FIELDS,
    PLAIN_MESSAGE_FIELDS,
    odd_fields,
)
from allos.wire.openai_chat_media import AudioPieces, content_part
from allos.wire.openai_chat_tool_calls import ToolCallAssembler
from allos.wire.openai_usage import usage_events
from allos.wire.placeholders import word
from allos.wire.reasoning_tags import ReasoningTagSplitter
from allos.wire.running_usage import with_later
from allos.wire.unread_fields import UnreadFields, merge

DETAILS = "chat.reasoning_details"
"""Type of the raw part that keeps `reasoning_details` of an answer without tool calls."""

CALL_EXTRA = "chat.tool_call_extra"
"""Type of the raw part that keeps `extra_content` of a call: Gemini 3 signs its thoughts there and
answers 400 to calls that come back without."""


class ChatDecoder(Decoder):
    """Decodes chunks and complete responses, those of lenient servers included."""

    def __init__(self, *, think_tags: bool = False, tool_names: Sequence[str] = ()) -> None:
        self._splitter = ReasoningTagSplitter() if think_tags else None
        self._last_facts: tuple[Any, ...] = (None,) * 4
        self._choices = ChoicePicker()
        self._tool_calls = ToolCallAssembler(tool_names)
        self._usage: dict[str, Any] = {}
        self._finish_reason: str | None = None
        self._has_content = False
        """Some of the answer has come."""
        self._reasons_vary = False
        """Some of the answer came without a finish reason, so that one says something."""
        self._in_messages = False
        """The pieces come as messages or texts, not as deltas."""
        self._went_on = False
        """Some of the answer came after a finish reason."""
        self._thoughts: list[str] = []
        """Pieces of `reasoning_content`, which its services want back beside tool calls."""
        self._details: list[Any] = []
        """The same of `reasoning_details`, which hold signatures and encrypted reasoning."""
        self._audio = AudioPieces()
        self._unread = UnreadFields()
        self._repeated: dict[str, Any] | None = None
        """The last chunk without its text, where it held nothing else that counts."""

    def decode_event(self, name: str, data: bytes) -> list[Event]:
        data = data.strip()
        if not data.startswith(b"{"):
            return self.decode_other(name, data)
        chunk: dict[str, Any] = self.parse(data)
        if name == "error":
            return self._chunk(chunk, "delta", named_error=True)
        # Nearly every chunk is the one before with another text.
        content = _take_content(chunk)
        if content and chunk == self._repeated:
            if self._splitter is None or self._splitter.passes(content):
                return [TextDelta(content)]
            return [*self._splitter.feed(content)]
        if content is not None:
            chunk["choices"][0]["delta"]["content"] = content
        events = self._chunk(chunk, "delta")
        self._repeated = chunk if content and self._is_only_text(chunk) else None
        if self._repeated is not None:
            chunk["choices"][0]["delta"]["content"] = ""
        return events

    def _is_only_text(self, chunk: dict[str, Any]) -> bool:
        """Whether a chunk that was read leaves nothing behind that an equal one would change."""
        (choice,) = chunk["choices"] if len(chunk["choices"]) == 1 else (None,)
        return (
            choice is not None
            and PLAIN_CHUNK_FIELDS.issuperset(chunk)
            and PLAIN_CHOICE_FIELDS.issuperset(choice)
            and PLAIN_MESSAGE_FIELDS.issuperset(choice["delta"])
            and not (chunk.get("usage") or choice.get("finish_reason") or choice.get("logprobs"))
            and self._finish_reason is None
            and self.error is None
            and self._choices.index == choice.get("index")
            and not self._choices.held
        )

    def decode_response(self, response: dict[str, Any]) -> Iterator[Event]:
        yield from self._chunk(response, "message")
        choices = response.get("choices")
        if not isinstance(choices, list) or not choices:
            raise error_mapping.missing_field("choices", response)
        if not self.done and any(_is_piece(choice) for choice in choices):
            raise IncompleteStreamError("the answer is its first piece alone", retryable=True)
        self.done = True

    def flush(self) -> list[Event]:
        events: list[Event] = []
        for choice in self._choices.rest(is_finished=self._finish_reason is not None):
            self._choice(choice, "delta", events)
        events += self._splitter.end() if self._splitter else []
        events += [
            RawPart({"type": CALL_EXTRA, "id": call.id or f"call_{n}", **call.extra})
            for n, call in enumerate(self._tool_calls.calls)
            if call.extra
        ]
        if self._thoughts and self._tool_calls.found:
            events.append(RawPart({"reasoning_content": "".join(self._thoughts)}))
        if self._details:
            # Without a type the part becomes a field of the next turn, which only tool calls need.
            kind = {} if self._tool_calls.found else {"type": DETAILS}
            events.append(RawPart({**kind, "reasoning_details": self._details}))
        if (audio := self._audio.part()) is not None:
            events.append(RawPart(audio, is_content=True))
        if self._choices.others:
            events.append(Unplaced("another answer than the first", self._choices.others))
        if self.done:
            events.append(Finished(*self._reason()))
        return events

    def _reason(self) -> tuple[FinishReason | None, str | None]:
        raw = self._finish_reason
        reason = finish_reason(raw) if raw else None
        if self._tool_calls.found and reason in (None, "stop"):
            reason = "tool_calls"
        return reason, raw

    def _chunk(self, chunk: dict[str, Any], part: str, *, named_error: bool = False) -> list[Event]:
        choices = chunk.get("choices")
        if named_error or (chunk.get("error") and reported_error(chunk)):
            self.error = error_mapping.from_body(chunk)
            if not choices:
                raise self.error
        minimax_status = chunk.get("base_resp")
        if isinstance(minimax_status, dict) and minimax_status.get("status_code"):
            raise error_mapping.from_body(minimax_status)
        events = self._facts(chunk)
        if not CHUNK_FIELDS.issuperset(chunk):
            if not choices and reports_failure(chunk):
                raise error_mapping.from_body(chunk)
            self._unread.add(chunk, CHUNK_FIELDS, events)
        if isinstance(choices, list) and choices:
            picker, first = self._choices, choices[0]
            # Nearly every chunk holds one piece, numbered like the one before.
            if (
                len(choices) == 1
                and type(first) is dict
                and (index := first.get("index")) is not None
                and index == picker.index
                and not picker.held
            ):
                self._choice(first, part, events)
            else:
                for choice in self._picked(choices):
                    self._choice(choice, part, events)
        usage = chunk.get("usage")
        if isinstance(extra := chunk.get("x_groq"), dict):
            usage = usage or extra.get("usage")
            self._unread.add(extra, ("id", "usage", "error"), events, within="x_groq")
            if reported_error(extra) and self.error is None:
                self.error = error_mapping.from_body(extra)
            if request_id := word(extra.get("id")):
                events.append(ResponseFacts(request_id=request_id))
        if isinstance(usage, dict) and usage:
            events += self._count(usage)
        return events

    def _picked(self, choices: list[Any]) -> list[dict[str, Any]]:
        return self._choices.pick(
            choices, has_content=self._has_content, is_finished=self._finish_reason is not None
        )

    def _count(self, usage: dict[str, Any]) -> list[Event]:
        self._usage = with_later(self._usage, usage)
        return usage_events(self._usage)

    def _facts(self, chunk: dict[str, Any]) -> list[Event]:
        get = chunk.get
        # The first id counts: some servers make up one for every chunk.
        id_ = self._last_facts[0] or word(get("id"))
        facts = (id_, get("model"), get("system_fingerprint"), get("service_tier"))
        if facts == self._last_facts:  # every chunk repeats them
            return []
        self._last_facts = facts
        response_id, model, fingerprint, tier = map(word, facts)
        return [
            ResponseFacts(
                response_id=response_id,
                response_model=model,
                system_fingerprint=fingerprint,
                service_tier=tier,
            )
        ]

    def _choice(self, choice: dict[str, Any], part: str, events: list[Event]) -> None:
        if not CHOICE_FIELDS.issuperset(choice):
            self._unread.add(choice, CHOICE_FIELDS, events, within="choice")
        message = choice.get(part) or self._other_form(choice)
        reason = choice.get("finish_reason")
        if reason is not None:
            reason = finish_word(reason)
        if not isinstance(message, dict):
            message = {"content": message} if text(message) else {}
        if message:
            before = len(events)
            self._message(message, events)
            is_checked = part == "message" or len(events) == before
            if is_checked and (odd := odd_fields(message)):
                self._unread.add(odd, (), events, within="message", in_pieces=True)
            if len(events) > before:
                self._has_content = True
                if self._finish_reason is not None and not self.closed:
                    # What has more behind it was no end.
                    self._went_on, self.done, self._finish_reason = True, False, None
                if reason is None:
                    self._reasons_vary = True
        if (logprobs := choice.get("logprobs")) is not None:
            self._logprobs(logprobs, message, events)
        usage = choice.get("usage")
        if isinstance(usage, dict) and usage:
            events += self._count(usage)
        if choice.get("error") and self.error is None and reported_error(choice):
            self.error = error_mapping.from_body(choice)
        if reason is not None:
            if self._finish_reason is None or finish_reason(reason) != "stop":
                self._finish_reason = reason
            self.may_go_on = not self._reasons_vary
            # A reason that stands beside every piece is no end signal.
            self.done = self._reasons_vary or not self._went_on

    def _other_form(self, choice: dict[str, Any]) -> Any:
        """Return what a choice holds in the place of another kind of response."""
        delta, message = choice.get("delta"), choice.get("message")
        if delta or not (message or choice.get("text")):
            return delta
        if self._has_content and not (self._in_messages and self._finish_reason is None):
            # Some services repeat the whole message in the last chunk; once is enough.
            calls = None if self._tool_calls.found else json_dict(message).get("tool_calls")
            return {"tool_calls": calls} if calls else None
        self._in_messages = True
        return message or choice.get("text")

    def _logprobs(self, logprobs: Any, message: Any, events: list[Event]) -> None:
        content = message.get("content") if isinstance(message, dict) else None
        tokens = token_logprobs(logprobs, content)
        if tokens:
            events.append(LogprobsDelta(tokens))
        elif tokens is None:
            self._unread.add({"logprobs": logprobs}, (), events, within="choice", in_pieces=True)

    def _message(self, message: dict[str, Any], events: list[Event]) -> None:
        content = message.get("content")
        if len(message) == 1 and isinstance(content, str):  # nearly every chunk is only this
            if content:
                self._text(content, events)
            return
        if not MESSAGE_FIELDS.issuperset(message):
            self._unread.add(message, MESSAGE_FIELDS, events, within="message", in_pieces=True)
        thought = text(message.get("reasoning_content"))
        if thought:
            self._thoughts.append(thought)
        thought = thought or text(message.get("reasoning")) or _reasoning_details(message)
        if thought:
            events.append(ReasoningDelta(thought))
        if content:
            self._content(content, events)
        refusal = text(message.get("refusal"))
        if refusal:
            events.append(RefusalDelta(refusal))
        if calls := message.get("tool_calls"):
            events += self._tool_calls.deltas(calls)
        if call := message.get("function_call"):
            events += self._tool_calls.legacy_deltas(call)
        if not BESIDE_TEXT.isdisjoint(message):
            self._beside_text(message, events)

    def _beside_text(self, message: dict[str, Any], events: list[Event]) -> None:
        """Add what a message holds beside texts and tool calls."""
        if isinstance(details := message.get("reasoning_details"), list):
            self._details = merge(self._details, details)
        if isinstance(annotations := message.get("annotations"), list):
            events += [Citation(each) for each in annotations if isinstance(each, dict)]
        if isinstance(images := message.get("images"), list):
            events += [RawPart(content_part(each), is_content=True) for each in images if each]
        if isinstance(audio := message.get("audio"), dict):
            spoken = self._audio.add(audio)
            if spoken and not message.get("content"):
                events.append(TextDelta(spoken))

    def _content(self, content: Any, events: list[Event]) -> None:
        if isinstance(content, str):
            self._text(content, events)
            return
        for item in content if isinstance(content, list) else [content]:
            if isinstance(item, str):
                self._content(item, events)
            elif not isinstance(item, dict):
                events.append(RawPart(content_part(item), is_content=True))
            elif item.get("type") == "thinking":
                inner = item.get("thinking")
                thoughts = inner if isinstance(inner, list) else [{"text": inner}]
                events += [
                    ReasoningDelta(thought)
                    for part in thoughts
                    if isinstance(part, dict) and (thought := text(part.get("text")))
                ]
            elif refusal := text(item.get("refusal")):
                events.append(RefusalDelta(refusal))
            elif isinstance(item.get("text"), str) or item.get("type") == "text":
                if visible := text(item.get("text")):
                    self._text(visible, events)
                if isinstance(annotations := item.get("annotations"), list):
                    events += [Citation(each) for each in annotations if isinstance(each, dict)]
            else:
                events.append(RawPart(content_part(item), is_content=True))

    def _text(self, visible: str, events: list[Event]) -> None:
        if self._splitter is None or self._splitter.passes(visible):
            events.append(TextDelta(visible))
        else:
            events += self._splitter.feed(visible)


def _take_content(chunk: dict[str, Any]) -> str | None:
    """Empty the text of the first choice and return it; None where a chunk has another form."""
    try:
        delta = chunk["choices"][0]["delta"]
        content = delta["content"]
    except (KeyError, IndexError, TypeError):
        return None
    if type(content) is not str:
        return None
    delta["content"] = ""
    return content


def _is_piece(choice: Any) -> bool:
    choice = json_dict(choice)
    return bool(choice.get("delta")) and not choice.get("message")


def _reasoning_details(message: dict[str, Any]) -> str | None:
    """Reasoning where a service sends it in parts alone."""
    details = message.get("reasoning_details")
    parts = (
        [part for part in details if isinstance(part, dict)] if isinstance(details, list) else ()
    )
    return "".join(text(p.get("text")) or text(p.get("summary")) or "" for p in parts) or None
