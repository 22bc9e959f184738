"""Calls of a batch whose tools run: the tool loop of `allos.ask`, thousands of them at once.

A step is a call as any other. No thread waits for it: what it asks for runs on a thread of its own, which
starts the next step. The rows of the steps before the last one have no task key, so that the row with the
key is the answer.
"""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from allos.engine import After, Call, Interceptor, PreparedCall
from allos.errors import AllosError, ConfigurationError
from allos.response import ProviderResponse
from allos.runs.start import cancel_task, start_task
from allos.tools.tool import Tool, as_tools
from allos.tools.tool_loop import MAX_STEPS, Approve, ToolLoop, run_calls

if TYPE_CHECKING:
    from allos.runs.grid import Column
    from allos.runs.task import Task
    from allos.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """How the tools of a batch run; as in `allos.ask`."""

    max_steps: int = MAX_STEPS
    approve: Approve | None = None


def functions_of(column: Column) -> list[Tool]:
    """Tools of a column that are run; those that are only described are not."""
    tools = as_tools(column.params.get("tools") or ())
    return [tool for tool in tools if tool.function is not None]


def check_tools(column: Column, options: ToolOptions, session: Session) -> None:
    """Refuse tools that would ask a person before each call: nobody answers for a batch.

    Raises
    ------
    ConfigurationError
        Names the tools, and what to do; or an option is not valid.
    """
    tools = functions_of(column)
    if not tools:
        return
    ToolLoop((), tools, max_steps=options.max_steps, approve=options.approve)
    if options.approve is not None or not session.approvers:
        return
    asking = [
        tool.name
        for tool in tools
        if not tool.trusted and tool.function not in session.always_allowed_tools
    ]
    if asking:
        names, verb = ", ".join(map(repr, asking)), "asks" if len(asking) == 1 else "ask"
        raise ConfigurationError(
            f"{names} {verb} you before each call, and a batch has nobody to ask: pass "
            'approve="always" or a function, or mark it with @allos.tool(trusted=True). Nothing was sent.'
        )


class ToolRun:
    """One task with its tools, as if it were one call: `future` has the last response, with all steps.

    Parameters
    ----------
    task, column
        As in `start_task`.
    options : ToolOptions
    session : Session
    refresh : bool
    """

    def __init__(
        self, task: Task, column: Column, options: ToolOptions, session: Session, *, refresh: bool
    ) -> None:
        self.future: Future[ProviderResponse] = Future()
        self.future.set_running_or_notify_cancel()
        self._task = task
        rest = {k: v for k, v in column.params.items() if k not in ("tools", "tool_choice")}
        self._column = replace(column, params=rest)
        self._refresh = refresh
        self._loop = ToolLoop(
            task.messages,
            column.params["tools"],
            tool_choice=column.params.get("tool_choice"),
            max_steps=options.max_steps,
            approve=options.approve,
            approvers=session.approvers,
            always_allowed=session.always_allowed_tools,
        )
        self._call: Call | None = None
        self._is_cancelled = False
        self._context = contextvars.copy_context()  # one step at a time is in it

    def start(self) -> None:
        """Start the first step. A starter thread."""
        self._context.run(self._step)

    def cancel(self) -> None:
        """Stop; a tool that runs is not interrupted, its result is not used. Any thread."""
        self._is_cancelled = True
        if self._call is not None:
            self._call.cancel()

    def _step(self) -> None:
        task = replace(self._task, messages=self._loop.messages)
        column = replace(self._column, params={**self._column.params, **self._loop.call_options})
        with self._loop.call_context():
            self._call = start_task(
                task, column, refresh=self._refresh, interceptors=[_WithoutKey(self._loop)]
            )
        if self._is_cancelled:
            self._call.cancel()
        self._call.future.add_done_callback(self._arrived)

    def _arrived(self, future: Future[ProviderResponse]) -> None:  # loop thread
        try:
            response = future.result()
        except Exception as exc:  # noqa: BLE001 - nobody may wait for ever
            self.future.set_exception(exc)
            return
        if not response.ok or response.error is not None or not response.tool_calls:
            self._loop.steps.append(response)
            self._finish()
            return
        threading.Thread(
            target=self._context.run, args=(self._go_on, response), name="allos-tools", daemon=True
        ).start()

    def _go_on(self, response: ProviderResponse) -> None:  # a thread of its own
        try:
            calls = self._loop.add_response(response)
            if not calls:
                self._finish()
                return
            self._loop.add_results(run_calls(self._loop, calls))
            if self._is_cancelled:
                self._end(None)
            else:
                self._step()
        except Exception as exc:  # noqa: BLE001 - as above
            self._end(
                exc if isinstance(exc, AllosError) else AllosError(f"{type(exc).__name__}: {exc}")
            )

    def _end(self, error: AllosError | None) -> None:
        """End between two steps: cancelled, or by an error; a row of the log as well."""
        cancel_task(self._task, self._column, error).future.add_done_callback(
            lambda ended: self.future.set_result(ended.result())
        )

    def _finish(self) -> None:
        final = self._loop.final_response()
        self.future.set_result(final if len(final.steps) > 1 else final.steps[0])


class _WithoutKey(Interceptor):
    """Takes the task key from the response of a step that another one follows."""

    def __init__(self, loop: ToolLoop) -> None:
        self._loop = loop

    def before(self, call: PreparedCall) -> After:
        return self._after

    def _after(self, response: ProviderResponse) -> ProviderResponse:
        if not response.ok or response.error is not None or not self._loop.goes_on(response):
            return response
        return replace(response, context=replace(response.context, task_key=None))
