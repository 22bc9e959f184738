"""A scripted model server on 127.0.0.1 for tests and benchmarks.

It speaks OpenAI Responses, OpenAI Chat Completions and Anthropic Messages, whole and streamed,
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

For a benchmark: `FakeProcess`, or ``python tests/fake_server.py --reply Hi``, which prints its
address. The answers are described in `fake/script.py`; each API has one file there.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.fake.process import FakeProcess, main
from tests.fake.script import Answer, Call, Entry, Fault, Raw, Reply
from tests.fake.seen import Seen
from tests.fake.server import FakeServer
from tests.fake.sse import Sse

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

if __name__ == "__main__":
    sys.exit(main())
