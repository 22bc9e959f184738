"""The fake server in a process of its own, so that a benchmark does not share its interpreter."""

from __future__ import annotations

import argparse
import json
import selectors
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .script import Fault, Reply
from .server import FakeServer

ROOT = Path(__file__).resolve().parents[3]
START_LIMIT_S = 20.0
STOP_LIMIT_S = 10.0


class FakeProcess:
    """A `FakeServer` in a child process that ends with its parent.

    Parameters
    ----------
    *args : str
        As on the command line: ``FakeProcess("--reply", "Hi", "--odds", "429=0.05")``.

    Examples
    --------
    >>> with FakeProcess("--reply", "Hi") as server:
    ...     server.stats()["count"]
    0
    """

    def __init__(self, *args: str) -> None:
        self._args = args

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fake_server", "--with-parent", *self._args],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._child.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self._child.stdout, selectors.EVENT_READ)
            line = self._child.stdout.readline() if ready.select(START_LIMIT_S) else b""
        if not line:
            self.stop()
            raise RuntimeError(f"the fake server ended with code {self._child.returncode}")
        self.url = line.decode().strip()
        self.base_url = f"{self.url}/v1"
        return self

    def stats(self) -> dict[str, int]:
        """The counters of the server."""
        with urllib.request.urlopen(f"{self.url}/_stats", timeout=5) as answer:
            found: dict[str, int] = json.load(answer)
        return found

    def stop(self) -> None:
        """End the child."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        try:
            self._child.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(STOP_LIMIT_S)
        self._child.stdout.close()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until a signal comes, or with ``--with-parent`` until stdin closes."""
    parser = argparse.ArgumentParser(description="A fake model server on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--reply", default="Hello", help="text, or a JSON object of Reply's fields")
    parser.add_argument("--on", nargs=2, action="append", default=[], metavar=("MODEL", "REPLY"))
    parser.add_argument("--chunks", type=int, help="stream this many pieces of --chunk")
    parser.add_argument("--chunk", default="word ")
    parser.add_argument("--first-delay-s", type=float, default=0.0)
    parser.add_argument("--delay-s", type=float, default=0.0)
    parser.add_argument(
        "--odds", nargs="*", default=[], metavar="FAULT=P", help="429=0.05 reset=0.02"
    )
    parser.add_argument("--retry-after", help="sent with every status of --odds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--key")
    parser.add_argument("--models", nargs="*", default=["fake-model"])
    parser.add_argument("--with-parent", action="store_true")
    args = parser.parse_args(argv)

    fields = _fields(args.reply)
    if args.chunks is not None:
        fields["chunks"] = [args.chunk] * args.chunks
    waits = {"first_delay_s": args.first_delay_s, "delay_s": args.delay_s}
    server = FakeServer(
        Reply(**{**waits, **fields}),
        key=args.key,
        models=args.models,
        port=args.port,
        record=False,
    )
    for model, reply in args.on:
        server.reply(Reply(**_fields(reply)), on=model)
    if args.odds:
        server.odds(*(_chance(text, args.retry_after) for text in args.odds), seed=args.seed)
    over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: over.set())
    with server:
        print(server.url, flush=True)
        if args.with_parent:
            threading.Thread(target=_watch, args=(over,), daemon=True).start()
        over.wait()
    return 0


def _watch(over: threading.Event) -> None:
    sys.stdin.buffer.read()
    over.set()


def _fields(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {"text": text}
    fields: dict[str, Any] = json.loads(text)
    return fields


def _chance(text: str, retry_after: str | None) -> tuple[float, Fault]:
    name, _, chance = text.partition("=")
    if name.isdigit():
        return float(chance), Fault.status(int(name), retry_after=retry_after)
    faults = {"reset": Fault.reset, "drop": Fault.drop, "html": Fault.html, "empty": Fault.empty}
    return float(chance), faults[name]()
