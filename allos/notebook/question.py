"""What a cell asks: prompt, system text, images, schema and tools, filled in from the namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from allos import template
from allos.errors import ConfigurationError
from allos.line_breaks import with_line_feeds
from allos.messages import Prompt
from allos.notebook.values import Values, image_of, schema_of, tool_of
from allos.parts import Image, Part

if TYPE_CHECKING:
    from allos.notebook.arguments import Arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a cell asks."""

    prompt: Prompt
    system: str | None
    schema: Any = None
    tools: tuple[Any, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values that replaced ``{{ }}``, by expression."""
    notes: tuple[str, ...] = ()
    """Facts for the footer, such as how many rows of a table were sent."""


def prompt_text(arguments: Arguments, cell: str | None) -> str:
    """Text of the prompt, before ``{{ }}`` is filled in.

    Parameters
    ----------
    arguments : Arguments
        Holds the quoted prompt of the line form.
    cell : str or None
        Body of the cell; None for the line form.

    Raises
    ------
    ConfigurationError
        The prompt is empty.
    """
    # IPython ends every cell with a newline that the user did not type.
    text = (
        arguments.prompt
        if cell is None
        else _without_nbval(with_line_feeds(cell)).removesuffix("\n")
    )
    if text is None or not text.strip():
        where = (
            "in the cell below" if cell is not None else 'at the end of the line, in quotes: "…"'
        )
        raise ConfigurationError(f"The prompt is empty: write it {where}. Nothing was sent.")
    return text


def build_question(arguments: Arguments, text: str, namespace: Mapping[str, Any]) -> Question:
    """Fill in a prompt and look up the variables that flags name.

    Parameters
    ----------
    arguments : Arguments
    text : str
        See `prompt_text`.
    namespace : mapping
        Variables of the user.

    Raises
    ------
    TemplateError
        An expression in ``{{ }}`` fails.
    ConfigurationError
        A flag names no variable, or one of the wrong type.
    """
    names = dict(namespace)
    values = Values()
    pieces: list[Part]
    pieces, variables = template.fill(text, names, values.convert)
    system, system_variables = template.fill(arguments.system or "", names, values.convert)
    if any(not isinstance(piece, str) for piece in system):
        raise ConfigurationError("--system must be text only. Nothing was sent.")
    # Images go first: models read best what they have seen before the question.
    images = [
        Image(path=word.text) if word.quoted else image_of(word.text, names)
        for word in arguments.images
    ]
    return Question(
        prompt=[*images, *pieces] or "",
        system="".join(map(str, system)) or None,
        schema=None if arguments.schema is None else schema_of(arguments.schema, names),
        tools=tuple(tool_of(name, names) for name in arguments.tools),
        variables={**system_variables, **variables},
        notes=tuple(values.notes),
    )


def _without_nbval(cell: str) -> str:
    """Drop nbval's marker comments: they are for the test runner, not for the model."""
    if "# NBVAL_" not in cell:
        return cell
    lines = cell.splitlines(keepends=True)
    return "".join(line for line in lines if not line.lstrip().startswith("# NBVAL_"))
