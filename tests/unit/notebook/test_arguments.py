from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allos.errors import AllosError, ConfigurationError
from allos.notebook.arguments import Arguments, parse
from allos.notebook.line_words import Word


@pytest.mark.parametrize(
    ("line", "model"),
    [
        ("groq llama-3.1-8b-instant", "groq/llama-3.1-8b-instant"),
        ("groq/llama-3.1-8b-instant", "groq/llama-3.1-8b-instant"),
        ("together meta-llama/Llama-3-70b-chat-hf", "together/meta-llama/Llama-3-70b-chat-hf"),
        ("together/meta-llama/Llama-3-70b-chat-hf", "together/meta-llama/Llama-3-70b-chat-hf"),
        ("huggingface openai/gpt-oss-20b:fastest", "huggingface/openai/gpt-oss-20b:fastest"),
        ("-t 0 groq m", "groq/m"),
        ("groq -t 0 m", "groq/m"),
        ("local", "local"),
        ("local//models/x.gguf", "local//models/x.gguf"),
        ("", None),
        ("-t 1", None),
    ],
)
def test_model_is_named_in_either_form(line: str, model: str | None) -> None:
    """Provider and model stand apart or joined by a slash, flags anywhere between."""
    assert parse(line, cell=True).model == model


def test_flags_become_values() -> None:
    """Every flag has its place; what is not given is not there."""
    found = parse(
        "groq m -t 0.2 --max-tokens 40 -s 'Be terse' -o answer -q --no-stream "
        "--base-url http://localhost:8000/v1",
        cell=True,
    )

    assert found == Arguments(
        model="groq/m",
        system="Be terse",
        output="answer",
        quiet=True,
        stream=False,
        params={"temperature": 0.2, "max_tokens": 40, "base_url": "http://localhost:8000/v1"},
    )
    assert parse("groq m", cell=True).params == {}


@pytest.mark.parametrize(
    "line",
    ["--system='Be terse' groq/m", '-s "Be terse" groq/m', "groq/m --system 'Be terse'"],
)
def test_quotes_hold_words_together(line: str) -> None:
    """A quoted value may stand apart or after an equals sign."""
    assert parse(line, cell=True).system == "Be terse"


def test_images_are_names_or_quoted_paths() -> None:
    """`--image` may stand several times; only what is quoted is a path."""
    found = parse("groq/m --image fig --image 'my chart.png' --image=other", cell=True)

    assert found.images == (Word("fig", False), Word("my chart.png", True), Word("other", False))
    assert parse("groq/m", cell=True).images == ()


def test_flags_of_the_question() -> None:
    """Schema, tools, conversation, budget, dry run, refresh and unsafe HTML are parsed."""
    found = parse(
        "groq/m --schema City --tools add,mul --chat trip --budget $0.05 --dry-run --refresh "
        "--unsafe-html --strict",
        cell=True,
    )

    assert found == Arguments(
        model="groq/m",
        schema="City",
        tools=("add", "mul"),
        chat="trip",
        budget_usd=0.05,
        dry_run=True,
        refresh=True,
        unsafe_html=True,
        params={"strict": True},
    )


@pytest.mark.parametrize(
    "line",
    [
        'groq/m --params {"top_p": 0.5, "stop": ["a b", "}"]}',
        """groq/m --params '{"top_p": 0.5, "stop": ["a b", "}"]}'""",
        'groq/m --params={"top_p": 0.5, "stop": ["a b", "}"]} -q',
    ],
)
def test_params_take_json_with_blanks(line: str) -> None:
    """JSON may hold blanks and quotes as it is, quoted as a whole, or after an equals sign."""
    assert parse(line, cell=True).params == {"top_p": 0.5, "stop": ["a b", "}"]}


@pytest.mark.parametrize(
    "line",
    [
        "answer << groq/m",
        "answer<< groq/m",
        "answer<<groq/m",
        "answer <<groq/m",
        "groq/m -o answer",
        "answer << groq m",
    ],
)
def test_answer_goes_into_a_name(line: str) -> None:
    """`name <<` in front and `-o name` mean the same."""
    found = parse(line, cell=True)

    assert (found.output, found.model) == ("answer", "groq/m")


def test_negative_and_equal_values() -> None:
    """`-t=0.5`-like spellings of argparse and numbers with a sign are read."""
    assert parse("groq/m --temperature=0.5", cell=True).params == {"temperature": 0.5}
    assert parse("groq/m -t -1", cell=True).params == {"temperature": -1.0}


@pytest.mark.parametrize(
    ("line", "prompt"),
    [
        ('groq m "say hi"', "say hi"),
        ("groq/m 'say hi'", "say hi"),
        ('"say hi"', "say hi"),
        ('groq/m "--not-a-flag"', "--not-a-flag"),
        ('groq/m "a \\"quoted\\" word and a \\\\ backslash"', 'a "quoted" word and a \\ backslash'),
        (r'groq/m "\frac{a}{b} \n"', r"\frac{a}{b} \n"),
        ('groq/m "it\'s fine"', "it's fine"),
    ],
)
def test_line_form_takes_a_quoted_prompt(line: str, prompt: str) -> None:
    """The quoted words are the prompt, even when they look like a flag or a name."""
    assert parse(line, cell=False).prompt == prompt


@pytest.mark.parametrize(
    ("line", "cell", "message"),
    [
        ("grok/m", True, "Did you mean 'groq'"),
        ("groq", True, "'groq' needs a model"),
        ("groq m extra", True, "Unexpected word 'extra'; the prompt must be in the cell below"),
        ("groq/m extra", False, "Unexpected word 'extra'; the prompt must be in quotes"),
        ('groq/m "one" "two"', False, "one quoted prompt"),
        ('groq/m "one"', True, "must be in the cell below"),
        ("groq/m --max-token 3", True, "Did you mean '--max-tokens'"),
        ("groq/m -z", True, "Unknown flag '-z'"),
        ("groq/m -t hot", True, "-t/--temperature must be a number, got 'hot'"),
        ("groq/m --max-tokens 0", True, "--max-tokens must be an integer >= 1, got '0'"),
        ("groq/m -t", True, "-t/--temperature needs a value"),
        ("groq/m -q=1", True, "-q/--quiet takes no value, got '1'"),
        ("groq/m --temp 1", True, "Did you mean '--temperature'?"),
        ("groq/m -o 1x", True, "-o must be a variable name, got '1x'"),
        ("groq/m -s 'open", True, "is not closed"),
        ("groq/m --params top_p=1", True, "--params must be a JSON object"),
        ("groq/m --params [1]", True, "--params must be a JSON object"),
        (
            'groq/m -t 1 --params {"temperature": 0}',
            True,
            "temperature is given both in --params and as a flag; use one",
        ),
        ("groq/m --params {top_p: 0.5}", True, "got '{top_p: 0.5}' (Expecting property name"),
        ("groq/m --params {'stop': ['}', 1]} -q", True, """got "{'stop': ['}', 1]}" """),
        ('groq/m --params {"model": "x"}', True, "name the model at the start of the line"),
        ('groq/m --params {"schema": {}}', True, "use the flag --schema"),
        ('groq/m --params {"api_key": "gsk-1"}', True, "use %allos key"),
        ('compare groq/m --params {"models": []}', True, "name the model at the start"),
        ("groq/m -o class", True, "-o cannot be class: Python uses"),
        ("Out << groq/m", True, "-o cannot be Out: IPython uses"),
        ("<< groq/m", True, "<< needs a variable name"),
        ("groq/m -n 3", True, "Nothing was sent."),
        ("gpt-4o", True, "A model needs its provider in front: PROVIDER/gpt-4o"),
        ("modls groq", False, "Did you mean 'models'?"),
        ("Hello", False, "a prompt must be in quotes"),
        ("groq/m --budget lots", True, "--budget must be US dollars >= 0, got 'lots'"),
        ("groq/m --tools a+b", True, "--tools must be function names"),
        ("1x << groq/m", True, "-o must be a variable name, got '1x'"),
        ("a << groq/m -o b", True, "both as a << and as -o b; use one"),
        ("/m", True, "has no provider"),
    ],
)
def test_mistake_is_one_line(line: str, cell: bool, message: str) -> None:
    """Each mistake is one line with what to do; nothing was sent."""
    with pytest.raises(ConfigurationError) as caught:
        parse(line, cell=cell)

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sub_commands_are_words_not_providers() -> None:
    """A reserved first word is a command, with the words behind it; quoted it is a prompt."""
    assert parse("models groq", cell=False) == Arguments(command="models", rest=("groq",))
    assert parse('"models"', cell=False).prompt == "models"


@pytest.mark.parametrize(
    ("line", "cell"),
    [("", False), ("help", False), ("-h", True), ("groq/m --help", True), ("--help", False)],
)
def test_help_is_there_for_whoever_looks_for_it(line: str, cell: bool) -> None:
    """The line alone, `help`, `-h` and `--help` ask for the help."""
    assert parse(line, cell=cell).command == "help"


def test_semicolon_behind_the_line_shows_nothing() -> None:
    """As anywhere in IPython, a semicolon at the end is no part of the prompt and hides the value."""
    found = parse('groq/m "Say hi" ;', cell=False)

    assert (found.prompt, found.quiet) == ("Say hi", True)
    assert parse('groq/m "Say hi;"', cell=False).prompt == "Say hi;"
    assert not parse('groq/m "Say hi;"', cell=False).quiet


def test_braces_hold_together() -> None:
    """An expression on the line needs no quotes."""
    assert parse("groq/m -s {{ tone }} -q", cell=True).system == "{{ tone }}"
    assert parse("groq/m --schema {{ -q", cell=True).schema == "{{"


@given(st.text(max_size=60), st.booleans())
def test_any_line_is_parsed_or_refused(line: str, cell: bool) -> None:
    """No line raises anything but an error of ours."""
    try:
        found = parse(line, cell=cell)
    except AllosError:
        return

    assert isinstance(found, Arguments)
