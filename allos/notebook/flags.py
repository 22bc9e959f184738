"""The flags of ``%allos`` and ``%%allos``, and the values they take."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn

from allos.errors import ConfigurationError, did_you_mean
from allos.options import BATCH_MODES

_NOT_IN_PARAMS = {
    **dict.fromkeys(("model", "models"), "name the model at the start of the line"),
    **dict.fromkeys(("prompt", "messages"), "write the prompt in the cell below"),
    "system": "use the flag -s",
    "schema": "use the flag --schema",
    "refresh": "use the flag --refresh",
    "stream": "use the flag --no-stream to wait for the whole answer",
    "n": "use the flag -n",
    "confirm": "use allos.compare",
    "mode": "use the flag --mode",
    "executor": "use the flag --executor",
    "store": "use the flag --store",
    "api_key": "it would be saved in the notebook and the history. Delete the cell and use %allos key",
}
"""Names that are not allowed in ``--params``, and what to do instead."""


class _Parser(argparse.ArgumentParser):
    """Reports every mistake as one line that names the flag."""

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument (\S+): ", r"%allos: \1 ", message)
        message = message.replace("expected one argument", "needs a value")
        message = message.replace("ignored explicit argument", "takes no value, got")
        raise ConfigurationError(f"{message}. Nothing was sent.")


@cache  # building it takes a millisecond
def parser() -> argparse.ArgumentParser:
    """Return the parser of the flags."""
    known = _Parser(
        prog="%%allos",
        add_help=False,
        allow_abbrev=False,
        usage="%%allos [PROVIDER MODEL | PROVIDER/MODEL] [flags]   (the prompt below)",
    )
    add = known.add_argument
    add("names", nargs="*", help=argparse.SUPPRESS)
    add("-t", "--temperature", type=_number, metavar="NUMBER", help="sampling temperature, >= 0")
    add("--max-tokens", type=_count, metavar="N", help="maximum number of tokens in the answer")
    add("-s", "--system", metavar="TEXT", help="system prompt")
    add("--params", default="{}", metavar="JSON", help='any other parameters: {"top_p": 0.5}')
    add("--strict", action="store_true", help="refuse parameters that the model does not support")
    add("--schema", metavar="NAME", help="type or JSON schema that the answer must match")
    add("--tools", metavar="A,B", help="functions that the model may call")
    add("--image", metavar="NAME", action="append", default=[], help="attach an image or a figure")
    add("--chat", metavar="NAME", help="continue the conversation of this name")
    add(
        "-n",
        "--repeats",
        type=_count,
        metavar="N",
        default=1,
        help="repeats of a comparison or a batch",
    )
    add("--blind", action="store_true", help="hide which model is which, and ask for votes")
    add("-o", "--output", metavar="NAME", help="assign the response to this variable")
    add("-q", "--quiet", action="store_true", help="show nothing")
    add("--no-stream", action="store_true", help="wait for the whole answer")
    add("--dry-run", action="store_true", help="show request and cost, send nothing")
    add("--budget", type=_dollars, metavar="USD", help="maximum cost of this cell")
    add("--refresh", action="store_true", help="ask again, even where an answer is recorded")
    add("--no-log", action="store_true", help="write no row of the log for this cell")
    add("--unsafe-html", action="store_true", help="run the answer's own HTML; dangerous")
    add("--mode", type=_mode, metavar="MODE", help="of a batch: calls or provider_batch")
    add("--executor", metavar="NAME", help="of a batch: variable that holds who makes the calls")
    add("--store", metavar="URL", help="of --executor: where workers write their answers")
    add("--base-url", metavar="URL", help="base URL of the service")
    return known


def parse_flags(texts: list[str]) -> argparse.Namespace:
    """Flags and names of a line's words.

    Raises
    ------
    ConfigurationError
        A value that is not valid for its flag.
    """
    # Most lines have no flags; argparse walks every line twice.
    if any(text.startswith("-") for text in texts):
        return parser().parse_intermixed_args(texts)
    return argparse.Namespace(**{**_defaults(), "names": texts})


@cache
def _defaults() -> dict[str, Any]:
    return vars(parser().parse_args([]))


def merge_params(text: str, flags: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of ``--params`` and of the flags; None is not set.

    Parameters
    ----------
    text : str
        Value of ``--params``, a JSON object.
    flags : mapping
        Values of the flags, by parameter name.

    Raises
    ------
    ConfigurationError
        The text is not a JSON object, or a name is not allowed in it or set by a flag as well.
    """
    params = _json_object(text)
    given = {name: value for name, value in flags.items() if value is not None}
    for name in [name for name in _NOT_IN_PARAMS if name in params]:
        raise ConfigurationError(
            f"{name} is not allowed in --params: {_NOT_IN_PARAMS[name]}. Nothing was sent."
        )
    twice = sorted(set(params) & set(given))
    if twice:
        raise ConfigurationError(
            f"{twice[0]} is given both in --params and as a flag; use one. Nothing was sent."
        )
    return {**params, **given}


def _json_object(text: str) -> dict[str, Any]:
    reason = ""
    try:
        value = json.loads(text)
    except ValueError as exc:
        value, reason = None, f" ({exc})"
    if not isinstance(value, dict):
        raise ConfigurationError(
            f'--params must be a JSON object such as {{"top_p": 0.5}}, got {text!r}{reason}. '
            "Nothing was sent."
        )
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be an integer >= 1, got {text!r}")
    return value


def _mode(text: str) -> str:
    if text not in BATCH_MODES:
        raise argparse.ArgumentTypeError(
            f"must be {' or '.join(BATCH_MODES)}, got {text!r}.{did_you_mean(text, BATCH_MODES)}".rstrip(
                "?."
            )
        )
    return text


def _dollars(text: str) -> float:
    try:
        value = float(text.removeprefix("$"))
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be US dollars >= 0, got {text!r}")
    return value
