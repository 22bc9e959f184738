"""A scripted model server on 127.0.0.1 for tests and benchmarks.

It speaks OpenAI Responses, OpenAI Chat Completions and Anthropic Messages, complete and streamed,
breaks on demand, and keeps what it saw.

In a test::

    with FakeServer() as server:
        server.reply("Hello")                               # until changed
        server.script(                                      # one entry per request, then the reply
            Fault.status(429, retry_after=1),
            Reply("4", reasoning="2 + 2", usage={"input_tokens": 9, "output_tokens": 3}),
            Fault.reset(after_deltas=2),
        )
        ...                                                 # call server.base_url
        server.requests[0].headers["authorization"]

For a benchmark: `FakeProcess`, or ``python -m tests.support.fake_server --reply Hi``, which prints
its address. The answers are described in `script.py`; each API has one file here.
"""

from __future__ import annotations

from tests.support.fake_server.process import FakeProcess
from tests.support.fake_server.script import Answer, Call, Entry, Fault, Raw, Reply
from tests.support.fake_server.seen import Seen
from tests.support.fake_server.server import FakeServer
from tests.support.fake_server.sse import Sse

__all__ = [
    "Answer",
    "Call",
    "Entry",
    "FakeProcess",
    "FakeServer",
    "Fault",
    "Raw",
    "Reply",
    "Seen",
    "Sse",
]
