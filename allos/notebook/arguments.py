"""The line of ``%allos`` and ``%%allos`` as a value. Pure: nothing is looked up or sent."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from allos.errors import ConfigurationError, did_you_mean
from allos.notebook.flags import merge_params, parse_flags, parser
from allos.notebook.line_models import batch_data, compared_models, model_and_prompt
from allos.notebook.line_words import Word, split_words
from allos.providers.catalog import services

_RESERVED_VARIABLES = frozenset({"In", "Out", "_", "__", "___", "get_ipython"})
"""Variables that IPython itself uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """What a line asks for."""

    model: str | None = None
    """``provider/model``; None for the default."""
    models: tuple[str, ...] = ()
    """Models of a comparison; empty when one model is asked."""
    data: Word | None = None
    """Table of a batch: the name of a variable, or the path of a file where it is quoted."""
    repeats: int = 1
    blind: bool = False
    """Hide which model of a comparison is which, and ask for votes."""
    prompt: str | None = None
    """The quoted prompt of the line form."""
    command: str | None = None
    """A sub-command."""
    rest: tuple[str, ...] = ()
    """Words after the sub-command."""
    system: str | None = None
    output: str | None = None
    """Variable that the response is assigned to."""
    images: tuple[Word, ...] = ()
    """Images to attach: names of variables, or paths where quoted."""
    schema: str | None = None
    """Variable that holds the schema of the answer, or a JSON schema as text."""
    tools: tuple[str, ...] = ()
    """Variables that hold the tools."""
    chat: str | None = None
    """Name of the conversation that the cell continues."""
    budget_usd: float | None = None
    """Maximum cost of this cell."""
    dry_run: bool = False
    """Show the request and its estimated cost; send nothing."""
    refresh: bool = False
    """Ask again, even where an answer is recorded."""
    no_log: bool = False
    """Write no row of the log."""
    unsafe_html: bool = False
    """Show the answer's own HTML."""
    quiet: bool = False
    stream: bool = True
    mode: str | None = None
    """Who makes the calls of a batch; None: this process."""
    executor: str | None = None
    """Variable that holds the executor of a batch."""
    store: str | None = None
    """Folder or URL where the workers of a batch write their answers."""
    params: dict[str, Any] = field(default_factory=dict)
    """Parameters and options of the provider that are set."""


def parse(line: str, *, cell: bool) -> Arguments:
    """Parse a line.

    Parameters
    ----------
    line : str
        What follows ``%allos`` or ``%%allos``.
    cell : bool
        Whether a cell's body follows (the prompt).

    Raises
    ------
    ConfigurationError
        One line that says what is wrong and offers the closest match; nothing was sent.

    Examples
    --------
    >>> parse("groq llama-3.1-8b-instant -t 0.2", cell=True).model
    'groq/llama-3.1-8b-instant'
    >>> parse('groq/llama-3.1-8b-instant "Say hi"', cell=False).prompt
    'Say hi'
    """
    # As anywhere in IPython, a semicolon at the end of the line hides its value.
    is_hidden = not cell and (shown := re.sub(r"(?<=[\"'])\s*;\s*$", "", line)) != line
    words = split_words(shown if is_hidden else line)
    if not cell and not words:
        return Arguments(command="help")
    if any(not word.quoted and word.text in ("-h", "--help") for word in words):
        return Arguments(command="help")
    if not cell and not words[0].quoted and words[0].text in services.RESERVED:
        return Arguments(command=words[0].text, rest=tuple(word.text for word in words[1:]))
    if not cell and _is_local_command(words):
        return Arguments(command="local", rest=(words[1].text,))
    target, words = _split_assignment(words)
    _check_flags(words)
    # Quoted words are replaced by a mark, so that argparse never takes one for a flag.
    quoted = {f"\0{at}": word.text for at, word in enumerate(words) if word.quoted}
    flags = parse_flags([f"\0{at}" if w.quoted else w.text for at, w in enumerate(words)])

    def unmark(text: str | None) -> str | None:
        return quoted.get(text, text) if text is not None else None

    models: tuple[str, ...] = ()
    data: Word | None = None
    if cell and flags.names[:1] == ["batch"]:
        data, models = batch_data(flags.names[1:], quoted)
        model, prompt = None, None
    elif cell and flags.names[:1] == ["compare"]:
        models, model, prompt = compared_models(flags.names[1:], quoted), None, None
    else:
        model, prompt = model_and_prompt(flags.names, quoted, cell=cell)
        if flags.repeats != 1:
            raise ConfigurationError(
                "-n repeats a comparison or a batch: %%allos compare MODEL -n 3. Nothing was sent."
            )
    if data is None:
        for flag in ("mode", "executor", "store"):
            if getattr(flags, flag) is not None:
                raise ConfigurationError(
                    f"--{flag} is for a batch: %%allos batch DATA PROVIDER/MODEL. Nothing was sent."
                )
    if flags.blind and (data is not None or not models):
        raise ConfigurationError(
            "--blind hides the names of a comparison: %%allos compare MODEL MODEL --blind. Nothing was sent."
        )
    return Arguments(
        model=model,
        models=models,
        data=data,
        repeats=flags.repeats,
        blind=flags.blind,
        prompt=prompt,
        system=unmark(flags.system),
        output=_output(target, unmark(flags.output)),
        images=tuple(Word(quoted.get(name, name), name in quoted) for name in flags.image),
        schema=unmark(flags.schema),
        tools=_tools(unmark(flags.tools)),
        chat=unmark(flags.chat),
        budget_usd=flags.budget,
        dry_run=flags.dry_run,
        refresh=flags.refresh,
        no_log=flags.no_log,
        unsafe_html=flags.unsafe_html,
        quiet=flags.quiet or is_hidden,
        stream=not flags.no_stream,
        mode=flags.mode,
        executor=unmark(flags.executor),
        store=unmark(flags.store),
        params=merge_params(
            quoted.get(flags.params, flags.params),
            {
                "temperature": flags.temperature,
                "max_tokens": flags.max_tokens,
                "base_url": unmark(flags.base_url),
                "strict": flags.strict or None,
            },
        ),
    )


def _is_local_command(words: Sequence[Word]) -> bool:
    """Whether this is ``local install`` or ``local status``; `local` alone is a provider."""
    is_plain = not any(word.quoted for word in words)
    return is_plain and [word.text for word in words] in (["local", "install"], ["local", "status"])


def _split_assignment(words: list[Word]) -> tuple[str | None, list[Word]]:
    """Name before ``<<``, and the words after it."""
    if not words or words[0].quoted:
        return None, words
    name, sign, after = words[0].text.partition("<<")
    rest = words[1:]
    if not sign and rest and not rest[0].quoted and rest[0].text.startswith("<<"):
        sign, after, rest = "<<", rest[0].text.removeprefix("<<"), rest[1:]
    if not sign:
        return None, words
    if not name:
        raise ConfigurationError("<< needs a variable name before it. Nothing was sent.")
    return name, [Word(after, False), *rest] if after else rest


def _check_flags(words: Sequence[Word]) -> None:
    known = [flag for action in parser()._actions for flag in action.option_strings]
    for word in words:
        name = word.text.partition("=")[0]
        is_flag = name.startswith("-") and not word.quoted and not _is_number(word.text)
        if is_flag and name not in known:
            longer = [flag for flag in known if len(name) > 3 and flag.startswith(name)]
            raise ConfigurationError(
                f"Unknown flag {name!r}.{did_you_mean(longer[0] if longer else name, known)} "
                "?%%allos lists all flags. Nothing was sent."
            )


def _output(target: str | None, flag: str | None) -> str | None:
    """Variable of ``name <<`` or ``-o name``."""
    if target is not None and flag is not None:
        raise ConfigurationError(
            f"The variable is given both as {target} << and as -o {flag}; use one. Nothing was sent."
        )
    name = target or flag
    if name is None:
        return None
    if not name.isidentifier():
        raise ConfigurationError(f"-o must be a variable name, got {name!r}. Nothing was sent.")
    if keyword.iskeyword(name) or name in _RESERVED_VARIABLES:
        owner = "Python" if keyword.iskeyword(name) else "IPython"
        raise ConfigurationError(f"-o cannot be {name}: {owner} uses that name. Nothing was sent.")
    return name


def _tools(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if not name.isidentifier():
            raise ConfigurationError(
                f"--tools must be function names separated by commas, got {text!r}. Nothing was sent."
            )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
