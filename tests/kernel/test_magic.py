"""`%%allos` in a real kernel, against the scripted server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_server import Call, FakeServer, Fault, Reply
from tests.support.jupyter import Kernel, Result

STREAM = "The answer is forty-two, and nobody knows why."


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer(Reply(text=STREAM)) as started:
        yield started


def _last(result: Result, kind: str = "text/plain") -> str:
    return str(result.displays[-1]["content"]["data"][kind])


def test_answer_streams_into_one_output(kernel: Kernel, server: FakeServer) -> None:
    """Partial text is painted as it comes, all of it into one display, and the end is rendered."""
    server.script(Reply(chunks=["**Bo", "ld** ", "and <b>", "raw</b>"], delay_s=0.15))
    result = kernel.run("%%allos groq llama-3.1-8b-instant\nHello")
    ids = {m["content"]["transient"]["display_id"] for m in result.displays}
    kinds = [m["header"]["msg_type"] for m in result.displays]
    partial = [m["content"]["data"]["text/html"] for m in result.displays[:-1]]
    final = _last(result, "text/html")

    assert result.status == "ok"
    assert len(ids) == 1
    assert kinds == ["display_data", *["update_display_data"] * (len(kinds) - 1)]
    assert len(partial) >= 3
    assert any("**Bo" in html for html in partial), "partial text is shown as it is"
    assert "<strong>Bold</strong>" in final
    assert "<b>raw" not in final, "raw HTML of a model stays text"
    assert "&lt;b&gt;" in final
    assert server.requests[0].body["model"] == "llama-3.1-8b-instant"
    assert server.requests[0].body["stream"] is True


def test_no_partial_painting_faster_than_twelve_hertz(kernel: Kernel, server: FakeServer) -> None:
    """A fast stream is painted a few times, not once for each chunk."""
    server.script(Reply(chunks=["word "] * 400, delay_s=0.0025))
    result = kernel.run("%%allos groq/m\nHello")
    seconds = kernel.value("_.metadata['latency_s']")

    assert kernel.value("_.content") == "word " * 400
    assert len(result.displays) <= 12 * seconds + 3


def test_response_is_the_value_of_the_cell_and_shown_once(kernel: Kernel) -> None:
    """`_` and Out hold the response without a second rendering; later it shows itself again."""
    result = kernel.run("%%allos groq/m\nHello")
    again = kernel.run("_")

    assert result.of_type("execute_result") == []
    assert again.of_type("execute_result") != []
    assert STREAM in _last(again)
    assert kernel.value("Out[2].content") == STREAM


def test_output_goes_into_a_variable(kernel: Kernel) -> None:
    """`-o` names the variable that holds the response."""
    kernel.run("%%allos groq/m -o answer -t 0.2 --max-tokens 9 -s 'Be terse'\nHello")
    facts = kernel.value("answer.metadata")

    assert kernel.value("answer.content") == STREAM
    assert facts["temperature"] == 0.2
    assert facts["max_tokens"] == 9
    assert facts["provider"] == "groq"
    assert facts["api"] == "chat"
    assert facts["input_tokens"] == 12


def test_prompt_is_filled_in_once_and_otherwise_untouched(
    kernel: Kernel, server: FakeServer
) -> None:
    """`{{ }}` is evaluated once; `$x`, `{x}`, JSON, markers and what was put in stay as they are."""
    kernel.run("x = 1\ntopic = 'maps {{ x }} $x'")
    kernel.run(
        '%%allos groq/m\n# NBVAL_SKIP\n{{topic}} $x {x} {"a": {"b": 1}} \\{{x}} \\frac{a}{b}'
    )
    sent = server.requests[-1].body["messages"][-1]["content"]

    assert sent == 'maps {{ x }} $x $x {x} {"a": {"b": 1}} {{x}} \\frac{a}{b}'


def test_quoted_line_form_returns_the_response(kernel: Kernel, server: FakeServer) -> None:
    """`x = %allos model "prompt"` assigns without painting; alone, the line shows its response."""
    kernel.run("who = 'Ada'")
    assigned = kernel.run('a = %allos groq llama "Say {{who}}" -t 0.5')
    shown = kernel.run('%allos groq/llama "Say hi"')

    assert assigned.outputs == []
    assert kernel.value("a.content") == STREAM
    assert server.requests[0].body["messages"][-1]["content"] == "Say Ada"
    assert server.requests[0].body["temperature"] == 0.5
    assert [m["header"]["msg_type"] for m in shown.outputs] == ["execute_result"]


def test_line_form_sees_local_variables(kernel: Kernel, server: FakeServer) -> None:
    """Inside a function, `{{ }}` finds the function's own variables."""
    kernel.run(
        "def ask(word):\n    return get_ipython().run_line_magic('allos', 'groq/m \"Say {{word}}\"')\n"
        "r = ask('moon')"
    )

    assert server.requests[-1].body["messages"][-1]["content"] == "Say moon"


def test_quiet_shows_nothing(kernel: Kernel) -> None:
    """`-q` paints nothing, and the response is there all the same."""
    result = kernel.run("%%allos groq/m -q -o answer\nHello")

    assert result.outputs == []
    assert kernel.value("answer.content") == STREAM


def test_no_stream_asks_for_the_whole_answer(kernel: Kernel, server: FakeServer) -> None:
    """`--no-stream` sends a plain request and shows the same answer."""
    result = kernel.run("%%allos groq/m --no-stream\nHello")

    assert "stream" not in server.requests[-1].body
    assert STREAM in _last(result)


def test_a_call_that_waits_for_its_turn_says_so(kernel: Kernel, server: FakeServer) -> None:
    """An empty cell is not a slow model: the limits of the key hold the call back."""
    server.reply(Reply(text="word " * 400, delay_s=0.05), on="long")
    kernel.run(
        "import allos\nfrom allos.providers import ProviderRegistry\n"
        "one = ProviderRegistry.get_provider('groq', model='long', max_in_flight=1)\n"
        "first = one.stream('Hi')\nnext(iter(first))"
    )
    running = kernel.start("%%allos groq/m\nHello")
    running.until(lambda result: "queued (rate limit)" in str(result.displays))
    kernel.interrupt()
    running.wait(10)

    assert running.ename == "Interrupted"


def test_capture_records_the_end_alone(kernel: Kernel) -> None:
    """`%%capture` gets one output: the finished answer."""
    kernel.run("%%capture caught\nget_ipython().run_cell_magic('allos', 'groq/m', 'Hello')")
    kinds = kernel.value("[sorted(o.data) for o in caught.outputs]")

    assert kinds == [["text/html", "text/plain"]]
    assert STREAM in kernel.value("caught.outputs[0].data['text/plain']")


@pytest.mark.parametrize(
    ("cell", "name", "words"),
    [
        ("%%allos grok llama\nHi", "ConfigurationError", "Did you mean 'groq'?"),
        ("%%allos groq\nHi", "ConfigurationError", "'groq' needs a model"),
        ("%%allos openai gpt-5-mini\nHi", "MissingKeyError", "set OPENAI_API_KEY"),
        ("%%allos groq/m --temprature 1\nHi", "ConfigurationError", "'--temperature'"),
        ("%%allos groq/m -t warm\nHi", "ConfigurationError", "must be a number, got 'warm'"),
        ("%%allos groq/m\n   \n", "ConfigurationError", "The prompt is empty"),
        ("%%allos groq/m\n{{ nobody }}", "TemplateError", "'nobody' is not defined"),
        ("%%allos groq/m\n{{ 1 / 0 }}", "TemplateError", "ZeroDivisionError"),
        ("%%allos groq/m\n{{ await x }}", "TemplateError", "Assign its result to a variable"),
        ("%%allos groq/m\n{{ exec('raise OSError(1, \"a\\\\nb\")') }}", "TemplateError", "a b"),
        (
            "%%allos groq/m\n{{ exec('raise KeyboardInterrupt') }}",
            "Interrupted",
            "before a call was sent",
        ),
        ('%%allos compare groq/m --params {"n": 3}\nHi', "ConfigurationError", "the flag -n"),
        (
            "%%allos compare groq/m --no-stream\nHi",
            "ConfigurationError",
            "--no-stream is not supported in a comparison",
        ),
        (
            "%%allos compare groq/m --chat a --dry-run\nHi",
            "ConfigurationError",
            "--chat is not supported in a comparison",
        ),
        ("%allos compare groq/m 'Hi'", "ConfigurationError", "compare is a cell magic"),
        ("%allos replay strict", "ConfigurationError", "%allos replay FILE.jsonl strict"),
        ("%allos log here", "ConfigurationError", "does not know 'here'"),
        ("%allos groq/m say hi", "ConfigurationError", "must be in quotes"),
    ],
)
def test_mistake_is_one_line_and_sends_nothing(
    kernel: Kernel, server: FakeServer, cell: str, name: str, words: str
) -> None:
    """A wrong line fails the cell with one plain sentence that names the fix."""
    result = kernel.run(cell)

    assert (result.status, result.ename) == ("error", name)
    assert words in str(result.evalue)
    assert result.traceback == [result.evalue]
    assert "\n" not in str(result.evalue)
    assert result.outputs[-1]["header"]["msg_type"] == "error"
    # Before it stands nothing to see: a rule for its line breaks.
    assert {m["content"]["data"]["text/plain"] for m in result.outputs[:-1]} <= {""}
    assert server.requests == []


def test_failing_service_is_one_line_and_a_row(kernel: Kernel, server: FakeServer) -> None:
    """A 401 is one line without the key, status error, and a row; `_` holds the response."""
    server.reply(Fault.bad_key())
    result = kernel.run("%%allos groq/m -o answer\nHello")
    everything = str(kernel.messages)

    assert (result.status, result.ename) == ("error", "AuthenticationError")
    assert len(result.traceback) == 1
    assert "gsk-of-the-test" not in everything
    assert kernel.value("answer.status") == "error"
    assert kernel.value("_.error.status_code") == 401
    row = "allos.responses().iloc[-1][['status', 'error_type', 'http_status']].astype(str).tolist()"
    kernel.run("import allos")
    assert kernel.value(row) == ["error", "AuthenticationError", "401"]


def test_key_is_not_in_a_verbose_traceback(kernel: Kernel, server: FakeServer) -> None:
    """A call without magics that fails under `%xmode Verbose` shows no key and no header."""
    server.reply(Fault.bad_key())
    kernel.run("%xmode Verbose")
    result = kernel.run("import allos\nallos.ask('Hello', model='groq/m')")

    assert result.ename == "AuthenticationError"
    assert "gsk-of-the-test" not in str(kernel.messages)


def test_warning_is_its_sentence(kernel: Kernel, server: FakeServer) -> None:
    """A warning of ours shows neither a path nor a line of our code; one of the user's tool does."""
    kernel.run(
        'import warnings\n@allos.tool(trusted=True)\ndef warn() -> int:\n    "Warns."\n'
        "    warnings.warn('mine')\n    return 1"
    )
    server.reply(Reply(tool_calls=[Call("warn")]))
    lines = kernel.run("%%allos groq/m --tools warn\nHello").stderr.splitlines()

    assert [line for line in lines if line.startswith("Warning: ")] == [lines[-1]]
    assert lines[-1].startswith("Warning: stopped after max_steps=8 calls of the model")
    assert [line for line in lines if line.endswith("UserWarning: mine")] == [lines[0]]
    assert "cell.py" not in "".join(lines)


def test_broken_stream_keeps_what_came(kernel: Kernel, server: FakeServer) -> None:
    """A stream that breaks off fails the cell and leaves its text on screen, in `-o` and the log."""
    server.reply(Fault.reset(after_deltas=2))
    result = kernel.run("%%allos groq/m -o answer\nHello")
    partial = kernel.value("answer.content")

    assert (result.status, result.ename) == ("error", "IncompleteStreamError")
    assert partial
    assert partial in _last(result)
    assert "failed" in _last(result)
    kernel.run("import allos")
    assert kernel.value("allos.responses().iloc[-1][['status', 'content']].tolist()") == [
        "error",
        partial,
    ]


def test_text_that_was_reasoning_is_taken_back(kernel: Kernel, server: FakeServer) -> None:
    """What streamed before an end tag disappears from the text, and is the answer's reasoning."""
    answer = (
        "One and one makes two, so it is that.\n</think>\n\nTwo, it is two, and nothing but two."
    )
    server.reply(Reply(answer, chunk_size=4, delay_s=0.03))
    result = kernel.run("%%allos groq/m -o answer\nHello")
    shown = [m["content"]["data"]["text/plain"] for m in result.displays[:-1]]
    thinking = [text.startswith("One") for text in shown]

    assert thinking[0]
    assert any(text.startswith("Two") for text in shown)
    assert thinking == sorted(thinking, reverse=True)
    assert kernel.value("answer.content") == "Two, it is two, and nothing but two."
    assert kernel.value("answer.reasoning").startswith("One and one")


def test_retry_is_shown_while_it_waits(kernel: Kernel, server: FakeServer) -> None:
    """A rate limit shows which attempt comes next and when; then the answer comes."""
    server.script(Fault.status(429, retry_after="0.3"))
    result = kernel.run("%%allos groq/m\nHello")
    seen = " ".join(m["content"]["data"]["text/plain"] for m in result.displays[:-1])

    assert "Try 2 of 6 in 0.3 s" in seen
    assert STREAM in _last(result)
    assert "2 attempts" in _last(result)


def test_interrupt_keeps_the_partial_answer(kernel: Kernel, server: FakeServer) -> None:
    """The stop button ends the cell in one line at once; the partial answer stays everywhere."""
    server.script(Fault.stall(after_deltas=3))
    result = kernel.start("%%allos groq/m -o answer\nHello")
    result.until(lambda r: any(STREAM[:8] in str(m["content"]) for m in r.displays))
    kernel.interrupt()
    result.wait()
    partial = kernel.value("answer.content")

    assert (result.status, result.ename) == ("error", "Interrupted")
    assert result.traceback == [result.evalue]
    assert result.interrupt_to_idle_s is not None
    assert result.interrupt_to_idle_s < 2
    assert partial
    assert STREAM.startswith(partial)
    assert partial in _last(result)
    assert "stopped" in _last(result)
    assert kernel.value("_.status") == "cancelled"
    assert server.wait_closed(server.requests[0]), "the server saw the client leave"
    kernel.run("import allos")
    found = "allos.responses().iloc[-1][['status', 'finish_reason', 'content']].tolist()"
    assert kernel.value(found) == ["cancelled", "cancelled", partial]


def test_interrupt_before_anything_came(kernel: Kernel, server: FakeServer) -> None:
    """A silent server does not hold the kernel: stop works before the first byte."""
    server.script(Fault.stall())
    result = kernel.start("%%allos groq/m\nHello")
    server.wait_requests(1)
    kernel.interrupt()
    result.wait()

    assert (result.status, result.ename) == ("error", "Interrupted")
    assert kernel.run("1 + 1").status == "ok"


def test_interrupt_stops_run_all(kernel: Kernel, server: FakeServer) -> None:
    """A stopped cell counts as failed, so the cells queued after it do not run."""
    server.script(Fault.stall(after_deltas=1))
    first = kernel.start("%%allos groq/m\nHello", stop_on_error=True)
    second = kernel.start("ran = True")
    first.until(lambda r: len(r.displays) >= 1)
    server.wait_requests(1)
    kernel.interrupt()
    first.wait()
    second.until(lambda r: r.reply is not None)

    assert second.status in ("aborted", "error")
    # Looked up, not executed: a kernel that still clears its queue aborts what it is to execute.
    found = {
        name: kernel.client.inspect(name, reply=True, timeout=30)["content"]["found"]
        for name in ("ran", "allos")
    }
    assert found == {"ran": False, "allos": True}


def test_row_knows_its_cell(kernel: Kernel) -> None:
    """The row names notebook, cell and execution count, prompt, system text and variables."""
    kernel.run("topic = 'tides'\nimport allos")
    kernel.run("%%allos groq/m -s 'Be kind'\nExplain {{topic}}", cell_id="cell-7")
    columns = ["notebook", "cell_id", "execution_count", "prompt", "system", "variables", "content"]
    row = kernel.value(f"allos.responses().iloc[-1][{columns}].astype(str).tolist()")

    assert row == [
        "study.ipynb",
        "cell-7",
        "3",
        "Explain tides",
        "Be kind",
        '{"topic":"tides"}',
        STREAM,
    ]


def test_bare_provider_is_logged_once_the_extension_is_loaded(kernel: Kernel) -> None:
    """`%load_ext allos` opens the log for every response of the kernel, magics or not."""
    kernel.run(
        "from allos.providers import ProviderRegistry\n"
        "ProviderRegistry.get_provider('groq', model='m').chat('Hello')\nimport allos"
    )

    assert kernel.value("len(allos.responses())") == 1


def test_await_in_a_cell(kernel: Kernel) -> None:
    """`await allos.aask()` works on the kernel's own loop and several run side by side."""
    result = kernel.run(
        "import allos, asyncio\n"
        "many = await asyncio.gather(*(allos.aask('Hi', model='groq/m') for _ in range(5)))\n"
        "print([m.content for m in many])"
    )

    assert result.status == "ok"
    assert result.stdout == f"{[STREAM] * 5}\n"


def test_model_falls_back_to_the_configured_one(kernel: Kernel, server: FakeServer) -> None:
    """Without a model on the line, ALLOS_MODEL answers."""
    kernel.run("import os; os.environ['ALLOS_MODEL'] = 'groq/chosen'")
    kernel.run("%%allos\nHello")

    assert server.requests[-1].body["model"] == "chosen"


def test_base_url_gets_no_key(kernel: Kernel) -> None:
    """A foreign address named on the line gets the placeholder, never the key of the service."""
    with FakeServer("Other") as other:
        result = kernel.run(f"%%allos groq/m --base-url {other.base_url}\nHello")

        assert "Other" in _last(result)
        assert other.requests[0].key == "not-needed"


def test_help_lists_the_flags(kernel: Kernel) -> None:
    """`?%%allos` shows how to call it."""
    reply = kernel.run("?%%allos").reply
    assert reply is not None
    page = reply["content"]["payload"][0]["data"]["text/plain"]

    assert "--max-tokens N" in page
    assert "%allos providers" in page


def test_sub_commands(kernel: Kernel, tmp_path: Path) -> None:
    """`providers`, `models`, `log` and `last` answer; a reserved word that is none says so."""
    kernel.run("%%allos groq/m\nHello")
    providers = kernel.run("%allos providers")
    models = kernel.run("%allos models groq")
    log = kernel.run("%allos log")
    last = kernel.run("%allos last")
    other = kernel.run("%allos compare")

    assert "GROQ_API_KEY" in _last(providers)
    assert "fake-model" in _last(models)
    assert str(tmp_path / "log.sqlite") in _last(log)
    assert STREAM[:20] in _last(last)
    assert other.ename == "ConfigurationError"


def test_unload_removes_everything(kernel: Kernel) -> None:
    """After `%unload_ext allos` the magic is gone and responses print as plain objects."""
    kernel.run("%%allos groq/m -o answer\nHello")
    kernel.run("%unload_ext allos")
    gone = kernel.run("%%allos groq/m\nHello")
    plain = kernel.run("answer")

    assert "UsageError" in gone.stderr
    assert _last(plain).startswith("ProviderResponse(")


def test_nothing_heavy_is_loaded(kernel: Kernel) -> None:
    """Loading the extension loads no SDK, no pandas, no widgets."""
    heavy = [
        "openai",
        "anthropic",
        "httpx2",
        "aiohttp",
        "pandas",
        "numpy",
        "ipywidgets",
        "pydantic",
    ]
    kernel.run("import sys")

    assert kernel.value(f"[name for name in {heavy} if name in sys.modules]") == []


def test_exit_is_silent(kernel: Kernel, server: FakeServer) -> None:
    """A kernel that asked and streamed ends without a word from asyncio, aiohttp or threads."""
    kernel.run("%%allos groq/m\nHello")
    kernel.run("import allos\nallos.ask('Hi', model='groq/m')")
    before = kernel.log.read_text()
    kernel.shutdown()
    after = kernel.log.read_text().removeprefix(before)

    assert after == ""


@pytest.mark.parametrize(
    "cell",
    [
        "await allos.aask('Hi', model='groq/slow')",
        "from allos.providers import ProviderRegistry\n"
        "async for piece in ProviderRegistry.get_provider('groq', model='slow').astream('Hi'):\n"
        "    print(piece)",
    ],
    ids=["aask", "astream"],
)
def test_interrupt_of_an_awaited_call(kernel: Kernel, server: FakeServer, cell: str) -> None:
    """The stop button ends a call that is awaited while nothing arrives, and its row is kept."""
    server.reply(Reply("late", first_delay_s=20), on="slow")
    running = kernel.start(cell)
    kernel.listen(lambda: server.count > 0, 20)
    kernel.interrupt()
    running.wait(10)

    assert running.status == "error"
    assert running.interrupt_to_idle_s is not None
    assert running.interrupt_to_idle_s < 5
    assert kernel.value("allos.log.flush() or allos.responses()['status'].tolist()") == [
        "cancelled"
    ]
