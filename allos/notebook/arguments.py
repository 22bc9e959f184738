"""The line of ``%allos`` and ``%%allos`` into a value. Pure: nothing is looked up or sent."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from allos.errors import ConfigurationError, did_you_mean
from allos.providers import services


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
    quiet: bool = False
    stream: bool = True
    params: dict[str, Any] = field(default_factory=dict)
    """Parameters and what a provider takes, set ones only."""


def words(line: str) -> list[Word]:
    r"""Split a line at blanks; quotes hold words together, a backslash only before a quote.

    Raises
    ------
    ConfigurationError
        A quote is not closed.

    Examples
    --------
    >>> [word.text for word in words('groq "Say hi" -s \'Be terse\'')]
    ['groq', 'Say hi', '-s', 'Be terse']
    """
    found: list[Word] = []
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
            continue
        text, quoted = "", line[at] in "\"'"
        while at < len(line) and not line[at].isspace():
            sign = line[at]
            if sign in "\"'" and (not text or text.endswith("=")):
                inner, at = _quoted(line, at)
                text += inner
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


class _Parser(argparse.ArgumentParser):
    """Reports every mistake as one line with the closest flag."""

    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(f"%allos: {message}. Nothing was sent.")


def _number(text: str) -> float:
    return float(text)


def _tokens(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise ValueError
    return value


_number.__name__ = "number"
_tokens.__name__ = "count"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the flags; its help is the help of the magics."""
    known = _Parser(
        prog="%%allos",
        add_help=False,
        allow_abbrev=False,
        usage="%%allos [PROVIDER MODEL | PROVIDER/MODEL] [flags]   (the prompt below)",
    )
    add = known.add_argument
    add("names", nargs="*", help=argparse.SUPPRESS)
    add("-t", "--temperature", type=_number, help="randomness, 0 and up")
    add("--max-tokens", type=_tokens, metavar="N", help="most tokens to write")
    add("-s", "--system", metavar="TEXT", help="instructions to the model")
    add("-n", "--repeats", type=_tokens, metavar="N", default=1, help="repeats of a comparison")
    add("--image", metavar="NAME", action="append", default=[], help="show an image or a figure")
    add("-o", "--output", metavar="NAME", help="put the response into this variable")
    add("-q", "--quiet", action="store_true", help="show nothing")
    add("--no-stream", action="store_true", help="wait for the whole answer")
    add("--base-url", metavar="URL", help="another address of the service")
    return known


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
    given = words(line)
    if not cell and given and not given[0].quoted and given[0].text in services.RESERVED:
        return Arguments(command=given[0].text, rest=tuple(word.text for word in given[1:]))
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
                f"%allos does not know the flag {name!r}.{did_you_mean(name, flags)} "
                "?%%allos shows them all. Nothing was sent."
            )
        texts.append(word.text)
    found = known.parse_intermixed_args(texts)

    def plain(text: str | None) -> str | None:
        return quoted.get(text, text) if text is not None else None

    output = plain(found.output)
    if output is not None and not output.isidentifier():
        raise ConfigurationError(f"-o needs a variable's name, not {output!r}. Nothing was sent.")
    models: tuple[str, ...] = ()
    if cell and found.names[:1] == ["compare"]:
        models, model, prompt = _compared(found.names[1:], quoted), None, None
    else:
        model, prompt = _names(found.names, quoted, cell=cell)
        if found.repeats != 1:
            raise ConfigurationError("-n repeats a comparison: %%allos compare MODEL -n 3.")
    params = {
        "temperature": found.temperature,
        "max_tokens": found.max_tokens,
        "base_url": plain(found.base_url),
    }
    return Arguments(
        model=model,
        models=models,
        repeats=found.repeats,
        prompt=prompt,
        system=plain(found.system),
        output=output,
        images=tuple(Word(quoted.get(name, name), name in quoted) for name in found.image),
        quiet=found.quiet,
        stream=not found.no_stream,
        params={name: value for name, value in params.items() if value is not None},
    )


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
