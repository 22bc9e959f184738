"""Which model, or which models of a comparison, a magic's line names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from allos.errors import ConfigurationError
from allos.notebook.line_words import Word
from allos.providers.catalog import services


def model_and_prompt(
    names: Sequence[str], quoted: Mapping[str, str], *, cell: bool
) -> tuple[str | None, str | None]:
    """Model and prompt among the words that are not flags.

    Parameters
    ----------
    names : sequence of str
        Words; a quoted one is represented by its key in `quoted`.
    quoted : mapping of str to str
        Texts of the quoted words.
    cell : bool
        Whether the prompt is in the cell below the line.

    Raises
    ------
    ConfigurationError
        An unknown provider, no model, a prompt in the wrong place.
    """
    prompts = [quoted[name] for name in names if name in quoted]
    words = [name for name in names if name not in quoted]
    if cell and prompts:
        raise ConfigurationError(
            "The prompt of %%allos must be in the cell below its line. Nothing was sent."
        )
    if len(prompts) > 1:
        raise ConfigurationError("%allos takes one quoted prompt. Nothing was sent.")
    prompt = prompts[0] if prompts else None
    if not words:
        return None, prompt
    _check_provider(words[0], alone=len(words) == 1, cell=cell)
    if len(words) == 1:
        model = words[0]
        if "/" not in model and not services.find(model).embedded:
            raise ConfigurationError(
                f"{model!r} needs a model: {model} MODEL or {model}/MODEL. Nothing was sent."
            )
    elif len(words) == 2 and "/" not in words[0]:
        model = f"{words[0]}/{words[1]}"
    else:
        extra = words[1] if "/" in words[0] else words[2]
        where = "in the cell below" if cell else "in quotes"
        raise ConfigurationError(
            f"Unexpected word {extra!r}; the prompt must be {where}. Nothing was sent."
        )
    services.find(services.split_model_name(model).provider)
    return model, prompt


def batch_data(names: Sequence[str], quoted: Mapping[str, str]) -> tuple[Word, tuple[str, ...]]:
    """Table and models of a batch; no model stands for the default one.

    Raises
    ------
    ConfigurationError
        No table, or a model that is none.
    """
    if not names:
        raise ConfigurationError(
            "%%allos batch needs a table: %%allos batch df PROVIDER/MODEL ..., and the prompt in the cell "
            "below. Nothing was sent."
        )
    data = Word(quoted.get(names[0], names[0]), names[0] in quoted)
    return data, compared_models(names[1:], quoted, "batch DATA") if names[1:] else ()


def compared_models(
    names: Sequence[str], quoted: Mapping[str, str], command: str = "compare"
) -> tuple[str, ...]:
    """Models of a comparison, or of what another command asks them.

    Raises
    ------
    ConfigurationError
        No model, an unknown provider, or a quoted word.
    """
    if not names or any(name in quoted for name in names):
        raise ConfigurationError(
            f"%%allos {command} takes provider/model names: %%allos {command} local/smollm2 groq/MODEL. "
            "The prompt must be in the cell below. Nothing was sent."
        )
    for name in names:
        provider, model = services.split_model_name(name)
        if model is None and not services.find(provider).embedded:
            raise ConfigurationError(f"{name!r} needs a model: {name}/MODEL. Nothing was sent.")
        services.find(provider)
    return tuple(names)


def _check_provider(name: str, *, alone: bool, cell: bool) -> None:
    """Raise for an unknown provider, and say what else the word may have been meant as."""
    try:
        services.find(services.split_model_name(name).provider if "/" in name else name)
    except ConfigurationError as exc:
        if "/" in name or name in services.retired_services():
            raise
        if not cell:
            raise ConfigurationError(
                f"There is no provider or sub-command {name!r}."
                f"{services.suggestion(name, services.RESERVED)} See %allos help; a "
                "prompt must be in quotes. Nothing was sent."
            ) from None
        if alone:
            raise ConfigurationError(
                f"{exc} A model needs its provider in front: PROVIDER/{name}. Nothing was sent."
            ) from None
        raise
