"""The line of ``%allos`` and ``%%allos`` into a value. Pure: nothing is looked up or sent."""

from __future__ import annotations

import argparse
import json
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, NoReturn

from allos.errors import ConfigurationError, did_you_mean
from allos.providers.catalog import services

_NOT_YOURS = frozenset({"In", "Out", "_", "__", "___", "get_ipython"})
"""Names that stop working in IPython when something else is put there."""

_ELSEWHERE = {
    **dict.fromkeys(("model", "models"), "name the model at the beginning of the line"),
    **dict.fromkeys(("prompt", "messages"), "the prompt goes into the cell below"),
    "system": "it is the flag -s",
    "schema": "it is the flag --schema",
    "refresh": "it is the flag --refresh",
    "stream": "the flag --no-stream waits for the whole answer",
    "n": "it is the flag -n",
    "confirm": "allos.compare takes it",
    "api_key": "the notebook and the history would keep it. Delete the cell; %allos key asks for a key",
}
"""What ``--params`` does not take, and where it goes."""


class Word(NamedTuple):
    """One word of the line."""

    text: str
    quoted: bool
    """It began with a quote, so it is text and never a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What a line asks for."""

    model: str | None = None
    """``provider/model``; None for the default."""
    models: tuple[str, ...] = ()
    """The models to compare; empty when one is asked."""
    repeats: int = 1
    prompt: str | None = None
    """The quoted prompt of the line form."""
    command: str | None = None
    """A sub-command."""
    rest: tuple[str, ...] = ()
    """Words after the sub-command."""
    system: str | None = None
    output: str | None = None
    images: tuple[Word, ...] = ()
    """Images beside the prompt: names of variables, and paths where quoted."""
    schema: str | None = None
    """Variable that holds the schema of the answer, or a JSON schema as text."""
    tools: tuple[str, ...] = ()
    """Variables that hold the tools."""
    chat: str | None = None
    """Name of the conversation that the question belongs to."""
    budget_usd: float | None = None
    """Most that this cell may spend."""
    dry_run: bool = False
    """Show the request and its estimated cost; send nothing."""
    refresh: bool = False
    """Ask again, whatever is recorded."""
    unsafe_html: bool = False
    """Show the answer's own HTML."""
    quiet: bool = False
    stream: bool = True
    params: dict[str, Any] = field(default_factory=dict)
    """Parameters and what a provider takes, set ones only."""


def words(line: str) -> list[Word]:
    r"""Split a line at blanks; quotes and JSON hold together, a backslash counts before a quote.

    Raises
    ------
    ConfigurationError
        A quote is not closed.

    Examples
    --------
    >>> [word.text for word in words('groq "Say hi" -s \'Be terse\'')]
    ['groq', 'Say hi', '-s', 'Be terse']
    >>> [word.text for word in words('--params {"top_p": 0.5, "stop": ["a b"]} -q')]
    ['--params', '{"top_p": 0.5, "stop": ["a b"]}', '-q']
    """
    found: list[Word] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        if (end := _brackets_end(line, at)) is not None:
            found.append(Word(line[at:end], False))
            at = end
            continue
        text, quoted = "", line[at] in "\"'"
        while at < len(line) and not line[at].isspace():
            sign = line[at]
            if sign in "\"'" and (not text or text.endswith("=")):
                inner, at = _quoted(line, at)
                text += inner
            elif text.endswith("=") and (end := _brackets_end(line, at)) is not None:
                text, at = text + line[at:end], end
            else:
                text += sign
                at += 1
        found.append(Word(text, quoted))
    return found


def _quoted(line: str, start: int) -> tuple[str, int]:
    quote, text, at = line[start], "", start + 1
    while at < len(line):
        if line[at] == "\\" and line[at + 1 : at + 2] in (quote, "\\"):
            text += line[at + 1]
            at += 2
        elif line[at] == quote:
            return text, at + 1
        else:
            text += line[at]
            at += 1
    raise ConfigurationError(f"A quote ({quote}) is not closed. Nothing was sent.")


def _brackets_end(line: str, start: int) -> int | None:
    """Where a JSON object or list that begins here ends; None when there is none.

    What is nearly JSON (``{top_p: 1}``) is held together as well, so that the error can show it whole.
    """
    if line[start] not in "{[":
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(line, start)
    except (ValueError, RecursionError):
        depth, quote = 0, ""
        for end, sign in enumerate(line[start:], start + 1):
            if quote:
                quote = "" if sign == quote else quote
            elif sign in "\"'":
                quote = sign
            else:
                depth += (sign in "{[") - (sign in "}]")
            if not depth:
                return end
        return None
    return end


class _Parser(argparse.ArgumentParser):
    """Reports every mistake as one line that names the flag."""

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument (\S+): ", r"%allos: \1 ", message)
        message = message.replace("expected one argument", "needs a value")
        message = message.replace("ignored explicit argument", "takes no value, so not")
        raise ConfigurationError(f"{message}. Nothing was sent.")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"takes a number, not {text!r}") from None


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"takes a whole number from 1, not {text!r}")
    return value


def _parameters(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise ConfigurationError(
            f'--params takes a JSON object, {{"top_p": 0.5}}, not {text!r} ({exc}). Nothing was sent.'
        ) from None
    if not isinstance(value, dict):
        raise ConfigurationError(
            f'--params takes a JSON object, {{"top_p": 0.5}}, not {text!r}. Nothing was sent.'
        )
    return value


def _dollars(text: str) -> float:
    try:
        value = float(text.removeprefix("$"))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"takes US dollars from 0, not {text!r}")
    return value


@cache
def parser() -> argparse.ArgumentParser:
    """Return the parser of the flags. Building it costs a millisecond, so it is built once."""
    known = _Parser(
        prog="%%allos",
        add_help=False,
        allow_abbrev=False,
        usage="%%allos [PROVIDER MODEL | PROVIDER/MODEL] [flags]   (the prompt below)",
    )
    add = known.add_argument
    add("names", nargs="*", help=argparse.SUPPRESS)
    add("-t", "--temperature", type=_number, metavar="NUMBER", help="randomness, 0 and up")
    add("--max-tokens", type=_count, metavar="N", help="most tokens to write")
    add("-s", "--system", metavar="TEXT", help="instructions to the model")
    add("--params", default="{}", metavar="JSON", help='any others: {"top_p": 0.5}')
    add("--strict", action="store_true", help="refuse what the model does not take")
    add("--schema", metavar="NAME", help="type or JSON schema that the answer must match")
    add("--tools", metavar="A,B", help="functions that the model may call")
    add("--image", metavar="NAME", action="append", default=[], help="show an image or a figure")
    add("--chat", metavar="NAME", help="go on with the conversation of this name")
    add("-n", "--repeats", type=_count, metavar="N", default=1, help="repeats of a comparison")
    add("-o", "--output", metavar="NAME", help="put the response into this variable")
    add("-q", "--quiet", action="store_true", help="show nothing")
    add("--no-stream", action="store_true", help="wait for the whole answer")
    add("--dry-run", action="store_true", help="show request and cost, send nothing")
    add("--budget", type=_dollars, metavar="USD", help="most that this cell may spend")
    add("--refresh", action="store_true", help="ask again, whatever is recorded")
    add("--unsafe-html", action="store_true", help="run the answer's own HTML; dangerous")
    add("--base-url", metavar="URL", help="another address of the service")
    return known


@cache
def _unflagged() -> dict[str, Any]:
    return vars(parser().parse_args([]))


def _parsed(texts: list[str]) -> argparse.Namespace:
    # Most lines hold names and nothing else; argparse walks every line twice.
    if any(text.startswith("-") for text in texts):
        return parser().parse_intermixed_args(texts)
    return argparse.Namespace(**{**_unflagged(), "names": texts})


def parse(line: str, *, cell: bool) -> Arguments:
    """Understand a line.

    Parameters
    ----------
    line : str
        What follows ``%allos`` or ``%%allos``.
    cell : bool
        Whether a cell's body follows (the prompt).

    Raises
    ------
    ConfigurationError
        One line that says what is wrong and what comes close; nothing was sent.

    Examples
    --------
    >>> parse("groq llama-3.1-8b-instant -t 0.2", cell=True).model
    'groq/llama-3.1-8b-instant'
    >>> parse('groq/llama-3.1-8b-instant "Say hi"', cell=False).prompt
    'Say hi'
    """
    silenced = not cell and (shown := re.sub(r"(?<=[\"'])\s*;\s*$", "", line)) != line
    given = words(shown if silenced else line)
    if not cell and not given:
        return Arguments(command="help")
    if any(not word.quoted and word.text in ("-h", "--help") for word in given):
        return Arguments(command="help")
    if not cell and not given[0].quoted and given[0].text in services.RESERVED:
        return Arguments(command=given[0].text, rest=tuple(word.text for word in given[1:]))
    target, given = _assigned(given)
    known = parser()
    flags = [flag for action in known._actions for flag in action.option_strings]
    texts: list[str] = []
    quoted: dict[str, str] = {}  # stands for quoted words, so that a prompt may begin with a dash
    for number, word in enumerate(given):
        if word.quoted:
            mark = f"\0{number}"
            quoted[mark] = word.text
            texts.append(mark)
            continue
        name = word.text.partition("=")[0]
        if name.startswith("-") and name not in flags and not _is_number(word.text):
            raise ConfigurationError(
                f"%allos does not know the flag {name!r}.{_meant(name, flags)} "
                "?%%allos shows them all. Nothing was sent."
            )
        texts.append(word.text)
    found = _parsed(texts)

    def plain(text: str | None) -> str | None:
        return quoted.get(text, text) if text is not None else None

    output = plain(found.output)
    if target is not None and output is not None:
        raise ConfigurationError(f"Either {target} << or -o {output}, not both. Nothing was sent.")
    output = target or output
    if output is not None and not output.isidentifier():
        raise ConfigurationError(f"-o needs a variable's name, not {output!r}. Nothing was sent.")
    if output is not None and (keyword.iskeyword(output) or output in _NOT_YOURS):
        whose = "Python" if keyword.iskeyword(output) else "IPython"
        raise ConfigurationError(
            f"-o {output} cannot be: {whose} uses that name itself. Nothing was sent."
        )
    models: tuple[str, ...] = ()
    if cell and found.names[:1] == ["compare"]:
        models, model, prompt = _compared(found.names[1:], quoted), None, None
    else:
        model, prompt = _names(found.names, quoted, cell=cell)
        if found.repeats != 1:
            raise ConfigurationError(
                "-n repeats a comparison: %%allos compare MODEL -n 3. Nothing was sent."
            )
    params = {
        "temperature": found.temperature,
        "max_tokens": found.max_tokens,
        "base_url": plain(found.base_url),
        "strict": found.strict or None,
    }
    return Arguments(
        model=model,
        models=models,
        repeats=found.repeats,
        prompt=prompt,
        system=plain(found.system),
        output=output,
        images=tuple(Word(quoted.get(name, name), name in quoted) for name in found.image),
        schema=plain(found.schema),
        tools=_listed(plain(found.tools)),
        chat=plain(found.chat),
        budget_usd=found.budget,
        dry_run=found.dry_run,
        refresh=found.refresh,
        unsafe_html=found.unsafe_html,
        quiet=found.quiet or silenced,
        stream=not found.no_stream,
        params=_merged(_parameters(quoted.get(found.params, found.params)), params),
    )


def _assigned(given: list[Word]) -> tuple[str | None, list[Word]]:
    """Name in front of ``<<``, and the words behind it."""
    if not given or given[0].quoted:
        return None, given
    name, sign, behind = given[0].text.partition("<<")
    rest = given[1:]
    if not sign and rest and not rest[0].quoted and rest[0].text.startswith("<<"):
        sign, behind, rest = "<<", rest[0].text.removeprefix("<<"), rest[1:]
    if not sign:
        return None, given
    if not name:
        raise ConfigurationError("<< needs a variable's name in front of it. Nothing was sent.")
    return name, [Word(behind, False), *rest] if behind else rest


def _meant(name: str, flags: list[str]) -> str:
    """Offer the flag that begins like this, else the closest one."""
    longer = [flag for flag in flags if len(name) > 3 and flag.startswith(name)]
    return did_you_mean(longer[0] if longer else name, flags)


def _listed(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if not name.isidentifier():
            raise ConfigurationError(
                f"--tools takes names of functions, joined by commas, not {text!r}. Nothing was sent."
            )
    return names


def _merged(others: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of ``--params`` and of the flags; none may stand in both."""
    given = {name: value for name, value in own.items() if value is not None}
    for name in [name for name in _ELSEWHERE if name in others]:
        raise ConfigurationError(
            f"{name} does not belong into --params: {_ELSEWHERE[name]}. Nothing was sent."
        )
    twice = sorted(set(others) & set(given))
    if twice:
        raise ConfigurationError(
            f"{twice[0]} stands in --params and has a flag of its own: give it once. "
            "Nothing was sent."
        )
    return {**others, **given}


def _names(
    names: list[str], quoted: dict[str, str], *, cell: bool
) -> tuple[str | None, str | None]:
    """Model and prompt from the words that are no flags."""
    prompts = [quoted[name] for name in names if name in quoted]
    plain = [name for name in names if name not in quoted]
    if cell and prompts:
        raise ConfigurationError(
            "The prompt of %%allos goes into the cell below its line. Nothing was sent."
        )
    if len(prompts) > 1:
        raise ConfigurationError("%allos takes one quoted prompt. Nothing was sent.")
    if not plain:
        return None, prompts[0] if prompts else None
    _known(plain[0], joined=len(plain) == 1, cell=cell)
    if len(plain) == 1:
        model = plain[0]
        if "/" not in model and not services.find(model).embedded:
            raise ConfigurationError(
                f"{model!r} needs a model: {model} MODEL or {model}/MODEL. Nothing was sent."
            )
    elif len(plain) == 2 and "/" not in plain[0]:
        model = f"{plain[0]}/{plain[1]}"
    else:
        extra = plain[1] if "/" in plain[0] else plain[2]
        where = "goes into the cell below" if cell else "must be in quotes"
        raise ConfigurationError(
            f"%allos does not understand {extra!r}; the prompt {where}. Nothing was sent."
        )
    services.find(services.split(model).provider)
    return model, prompts[0] if prompts else None


def _known(name: str, *, joined: bool, cell: bool) -> None:
    """Say more than that there is no such provider, where a word was rather meant as something else."""
    try:
        services.find(services.split(name).provider if "/" in name else name)
    except ConfigurationError as exc:
        if "/" in name or name in services.retired():
            raise
        if not cell:
            raise ConfigurationError(
                f"There is no provider and no sub-command {name!r}."
                f"{did_you_mean(name, [*services.RESERVED, *services.names()])} %allos help shows what "
                "there is; a prompt must be in quotes. Nothing was sent."
            ) from None
        if joined:
            raise ConfigurationError(
                f"{exc} A model needs its provider in front: PROVIDER/{name}. Nothing was sent."
            ) from None
        raise


def _compared(names: list[str], quoted: dict[str, str]) -> tuple[str, ...]:
    """Models of a comparison; each must name a provider that exists."""
    if not names or any(name in quoted for name in names):
        raise ConfigurationError(
            "%%allos compare takes provider/model names: %%allos compare local/smollm2 groq/MODEL. "
            "The prompt goes into the cell below. Nothing was sent."
        )
    for name in names:
        provider, model = services.split(name)
        if model is None and not services.find(provider).embedded:
            raise ConfigurationError(f"{name!r} needs a model: {name}/MODEL. Nothing was sent.")
        services.find(provider)
    return tuple(names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
