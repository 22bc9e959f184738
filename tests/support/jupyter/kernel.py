"""A real ipykernel, driven message by message."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.support.jupyter.environment import private_environment

Message = dict[str, Any]
"""A message of the Jupyter protocol: header, parent_header, metadata, content."""


@dataclass
class Result:
    """One execution: what the kernel said so far, complete once `done`."""

    kernel: Kernel
    msg_id: str
    answers: list[str] = field(default_factory=list)
    """What to type when the code asks for input."""
    input_requests: list[Message] = field(default_factory=list)
    """The questions that the code asked; ``content`` holds `prompt` and `password`."""
    messages: list[Message] = field(default_factory=list)
    """Everything on the iopub channel that belongs to this execution, in order."""
    reply: Message | None = None
    idle_at: datetime | None = None
    """When the kernel said that it was idle again, by the kernel's clock."""

    @property
    def done(self) -> bool:
        return self.reply is not None and self.idle_at is not None

    @property
    def status(self) -> str:
        """``ok``, ``error``, ``aborted``, or ``running``."""
        return str(self.reply["content"]["status"]) if self.reply else "running"

    def of_type(self, *types: str) -> list[Message]:
        return [m for m in self.messages if m["header"]["msg_type"] in types]

    @property
    def outputs(self) -> list[Message]:
        """What a front end would show: streams, displays and their updates, results, errors."""
        return self.of_type(
            "stream",
            "display_data",
            "update_display_data",
            "execute_result",
            "error",
            "clear_output",
        )

    @property
    def displays(self) -> list[Message]:
        """Displays and updates; ``content["transient"]["display_id"]`` tells which belong together."""
        return self.of_type("display_data", "update_display_data", "execute_result")

    def _stream(self, name: str) -> str:
        return "".join(
            m["content"]["text"] for m in self.of_type("stream") if m["content"]["name"] == name
        )

    @property
    def stdout(self) -> str:
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        return self._stream("stderr")

    def _error(self, key: str) -> Any:
        errors = self.of_type("error")
        return errors[-1]["content"][key] if errors else None

    @property
    def ename(self) -> str | None:
        return self._error("ename")  # type: ignore[no-any-return]

    @property
    def evalue(self) -> str | None:
        return self._error("evalue")  # type: ignore[no-any-return]

    @property
    def traceback(self) -> list[str]:
        return self._error("traceback") or []

    @property
    def interrupt_to_idle_s(self) -> float | None:
        """Seconds from `Kernel.interrupt` to the kernel's idle message, by one machine's clock."""
        if self.idle_at is None or self.kernel.interrupted_at is None:
            return None
        return (self.idle_at - self.kernel.interrupted_at).total_seconds()

    def until(self, condition: Callable[[Self], Any], timeout_s: float = 30) -> Self:
        """Listen until `condition(self)` is true."""
        self.kernel.listen(lambda: bool(condition(self)), timeout_s, what=repr(self))
        return self

    def wait(self, timeout_s: float = 30) -> Self:
        """Listen until the execution is over."""
        return self.until(lambda result: result.done, timeout_s)

    def __repr__(self) -> str:
        return f"<{self.status}: {self.stdout[-200:]!r} {self.stderr[-200:]!r} {self.ename}>"


class Kernel:
    """A real ipykernel; use it as a context manager.

    Parameters
    ----------
    folder : Path
        Private home, working folder and log of the kernel.
    environment : mapping
        Variables added to `private_environment`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = {**private_environment(folder / "home"), **(environment or {})}
        self.log = folder / "kernel.log"
        """What the kernel's process itself wrote, past its messages."""
        self.messages: list[Message] = []
        """Every iopub message, whichever execution it belongs to (late ones, comms)."""
        self.interrupted_at: datetime | None = None
        self._results: dict[str, Result] = {}

    def __enter__(self) -> Self:
        from jupyter_client.manager import KernelManager

        self.manager = KernelManager(connection_file=str(self.folder / "kernel.json"))
        self._log_file = self.log.open("ab")
        self.manager.start_kernel(
            env=self.environment, cwd=str(self.folder), stdout=self._log_file, stderr=self._log_file
        )
        self._connect()
        return self

    def _connect(self) -> None:
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        try:
            self.client.wait_for_ready(timeout=60)
        except BaseException:
            self.shutdown()
            raise

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def shutdown(self) -> None:
        """Ask the kernel to end, so that its exit handlers run; force it after a few seconds."""
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel()
        self._log_file.close()

    def restart(self) -> None:
        """A fresh process behind the same object."""
        self.client.stop_channels()
        self.manager.restart_kernel(now=True)
        self.interrupted_at = None
        self._connect()

    def start(
        self,
        code: str,
        *,
        allow_stdin: bool = True,
        cell_id: str | None = None,
        answers: Sequence[str] = (),
        stop_on_error: bool = False,
    ) -> Result:
        """Begin to execute `code`; the answer fills while `Result.until` or `wait` listens.

        Parameters
        ----------
        code : str
            A cell's text.
        allow_stdin : bool
            False is how headless runners (nbclient, nbval, papermill) ask.
        cell_id : str, optional
            The cell's id, as JupyterLab sends it.
        answers : sequence of str
            What to type when the code asks for input; asking for more is an error.
        stop_on_error : bool
            Whether a failure aborts what is queued behind it, as in Run All. ipykernel 6 may also abort
            what is sent right after the failure, so it is asked for only where a test needs it.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": allow_stdin,
            "stop_on_error": stop_on_error,
        }
        metadata = {"cellId": cell_id} if cell_id else {}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        result = Result(self, message["header"]["msg_id"], list(answers))
        self._results[result.msg_id] = result
        self.client.shell_channel.send(message)
        return result

    def run(
        self,
        code: str,
        *,
        allow_stdin: bool = True,
        cell_id: str | None = None,
        answers: Sequence[str] = (),
        timeout_s: float = 30,
    ) -> Result:
        """Execute `code` and wait for its end; parameters as in `start`."""
        started = self.start(code, allow_stdin=allow_stdin, cell_id=cell_id, answers=answers)
        return started.wait(timeout_s)

    def value(self, expression: str) -> Any:
        """Value of an expression of literals."""
        result = self.run(f"print(repr({expression}))")
        assert result.status == "ok", result
        return eval(result.stdout)  # our own literals, printed by our own kernel

    def interrupt(self) -> None:
        """Press the stop button."""
        self.interrupted_at = datetime.now(UTC)
        self.manager.interrupt_kernel()

    def listen(self, condition: Callable[[], bool], timeout_s: float, *, what: str = "") -> None:
        """Take in messages until `condition()` is true."""
        import zmq

        channels = (
            self.client.iopub_channel,
            self.client.shell_channel,
            self.client.stdin_channel,
        )
        poller = zmq.Poller()
        for channel in channels:
            poller.register(channel.socket, zmq.POLLIN)
        deadline = time.monotonic() + timeout_s
        while not condition():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"kernel: not within {timeout_s:g} s: {what}")
            if not self.manager.is_alive():
                raise RuntimeError(f"the kernel died; its log: {self.log.read_text()[-2000:]}")
            ready = dict(poller.poll(int(min(left_s, 1) * 1000) + 1))
            for channel in channels:
                if channel.socket in ready:
                    self._take(channel.get_msg(timeout=0))

    def _take(self, message: Message) -> None:
        result = self._results.get(message["parent_header"].get("msg_id", ""))
        kind = message["header"]["msg_type"]
        if kind == "input_request":
            if result is None or not result.answers:
                raise AssertionError(f"the code asked for input: {message['content']['prompt']!r}")
            result.input_requests.append(message)
            self.client.input(result.answers.pop(0))
        elif kind.endswith("_reply"):
            if result is not None:
                result.reply = message
        else:
            self.messages.append(message)
            if result is not None:
                result.messages.append(message)
                if kind == "status" and message["content"]["execution_state"] == "idle":
                    result.idle_at = message["header"]["date"]
