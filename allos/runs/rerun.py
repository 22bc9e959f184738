"""`allos.rerun`: logged prompts asked again, with the old answers beside the new ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from allos.call_params import params_of
from allos.errors import ConfigurationError
from allos.log.stored_messages import messages_of
from allos.messages import Message
from allos.providers import Provider
from allos.render.comparison_table import comparison_html
from allos.render.comparison_text import comparison_text
from allos.render.logged_rows import records
from allos.runs.boards import board_of_runs
from allos.runs.compare import compare
from allos.runs.grid import build_columns, normalize_models

if TYPE_CHECKING:
    import pandas as pd

    from allos.runs.comparison import Comparison
    from allos.runs.logged_comparison import LoggedComparison

_AT_ONCE = 32
"""Prompts that are under way at once."""
_NEEDED = ("messages", "provider", "model", "content")

Row = Mapping[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prompt:
    """One logged call, or several that were equal."""

    messages: tuple[Message, ...]
    params: dict[str, Any]
    rows: list[Row]


class Rerun:
    """Old and new answers to logged prompts; returned by `rerun`.

    A notebook shows it as a board: a row for each prompt, those that changed most on top, and the columns of a
    model beside each other.

    Attributes
    ----------
    old : pandas.DataFrame
        The rows that were asked again.
    comparisons : list of Comparison
        The new calls, one comparison for each prompt.
    skipped : int
        Rows that could not be asked again: what was sent is not in them, such as an image.
    """

    def __init__(
        self,
        old: pd.DataFrame,
        prompts: Sequence[_Prompt],
        comparisons: Sequence[Comparison],
        skipped: int,
    ) -> None:
        self.old = old
        self.comparisons = list(comparisons)
        self.skipped = skipped
        self._prompts = list(prompts)

    @cached_property
    def new(self) -> pd.DataFrame:
        """The new responses, with the log's columns: ``old.allos.drift(new)`` compares them."""
        from allos.log.frame import frame_of

        return frame_of([response for each in self.comparisons for response in each.responses])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Each old response with each new one to its prompt, those whose text changed first.

        Columns `prompt`, `same_answer` (null where one of them failed), and each of `model`, `content`,
        `status`, `latency_s`, `output_tokens`, `cost_usd` and `id` twice, as ``model_old`` and
        ``model_new``.
        """
        import pandas as pd

        from allos.log.frame import frame_of

        columns = ["model", "content", "status", "latency_s", "output_tokens", "cost_usd", "id"]
        frames = []
        for prompt, comparison in zip(self._prompts, self.comparisons, strict=True):
            ids = [row.get("id") for row in prompt.rows]
            old = self.old[self.old["id"].isin(ids)].reindex(columns=["prompt", *columns])
            new = frame_of(comparison.responses)[columns]
            frames.append(old.merge(new, how="cross", suffixes=("_old", "_new")))
        if not frames:
            return pd.DataFrame(columns=["prompt", "same_answer"])
        frame = pd.concat(frames, ignore_index=True)
        is_ok = (frame["status_old"].fillna("ok") == "ok") & (frame["status_new"] == "ok")
        same = (frame["content_old"] == frame["content_new"]).astype("boolean").where(is_ok)
        frame.insert(1, "same_answer", same)
        return frame.sort_values("same_answer", kind="stable", ignore_index=True)

    @cached_property
    def board(self) -> LoggedComparison:
        """Old answers beside the new ones, each prompt a row, those that changed most on top."""
        ids = [row.get("id") for prompt in self._prompts for row in prompt.rows]
        asked = self.old[self.old["id"].isin(ids)]
        return board_of_runs({"before": asked, "again": self.new})

    def to_html(self) -> str:
        """Return a static HTML table of old and new answers."""
        return comparison_html(self.board.view())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.to_html(), "text/plain": str(self)}

    def __str__(self) -> str:
        return comparison_text(self.board.view())

    def __repr__(self) -> str:
        count = len(self._prompts)
        return f"Rerun({count} prompt{'' if count == 1 else 's'}, {len(self.old)} old responses)"


def rerun(
    frame: pd.DataFrame,
    *,
    model: str | Provider | Sequence[str | Provider] | None = None,
    n: int = 1,
    tags: Sequence[str] = (),
    refresh: bool = False,
    **params: Any,
) -> Rerun:
    """Ask the prompts of logged responses again, and show old answers beside new ones.

    Each prompt is sent once, however many rows have it, with the messages and parameters that it had.
    Waits for the answers.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`.
    model : str, Provider or a sequence of them, optional
        Who is asked; by default the model that each row had.
    n : int
        Repeats of each prompt.
    tags : sequence of str
        Words to find the new rows again.
    refresh : bool
        Ask even where answers are recorded.
    **params
        Parameters that take the place of the logged ones (`temperature`, `max_tokens` ...); None leaves one
        out.

    Returns
    -------
    Rerun
        Its `frame` has each old response beside the new ones.

    Raises
    ------
    ConfigurationError
        The frame lacks columns, or none of its rows can be asked again; nothing was sent.
    Interrupted
        Stopped by the user; the answers so far are in the log.

    Examples
    --------
    ::

        allos.rerun(allos.responses(tags="release-test"), model="groq/openai/gpt-oss-20b")
    """
    _check(frame)
    rows = records(frame)
    prompts = _prompts(rows, params, own_model=model is None)
    skipped = len(rows) - sum(len(prompt.rows) for prompt in prompts)
    if not prompts:
        raise ConfigurationError(
            f"None of the {len(rows):,} rows can be asked again: their messages are not in the log, or "
            "have images or files, which it does not keep. Nothing was sent."
        )
    given = None if model is None else normalize_models(model)
    models = [given or [_name(prompt.rows[0])] for prompt in prompts]
    for prompt, each in zip(prompts, models, strict=True):
        build_columns(each, [prompt.params], {})  # an unknown one is said before anything is sent
    started: list[Comparison] = []
    for prompt, each in zip(prompts, models, strict=True):
        if len(started) >= _AT_ONCE:
            started[-_AT_ONCE].wait()
        started.append(
            compare(
                prompt.messages,
                models=each,
                params=[prompt.params],
                n=n,
                tags=tags,
                refresh=refresh,
            )
        )
    for comparison in started:
        comparison.wait()
    return Rerun(frame, prompts, started, skipped)


def _check(frame: Any) -> None:
    columns = getattr(frame, "columns", None)
    if columns is None:
        raise ConfigurationError(
            f"rerun() needs a DataFrame of responses, such as allos.responses(), got {type(frame).__name__}"
        )
    for name in (*_NEEDED, "id"):
        if name not in columns:
            raise ConfigurationError(
                f"rerun() needs a column {name!r}, which the frame does not have. allos.responses() "
                "returns all columns."
            )


def _prompts(rows: Sequence[Row], params: Mapping[str, Any], *, own_model: bool) -> list[_Prompt]:
    """What is to be asked, each once."""
    found: dict[str, _Prompt] = {}
    for row in rows:
        try:
            messages, lost = messages_of(row["messages"])
        except (ValueError, TypeError, KeyError):
            continue
        if not messages or lost or (own_model and not row["model"]):
            continue
        merged = {**params_of(row), **params}
        chosen = {name: value for name, value in merged.items() if value is not None}
        who = _name(row) if own_model else None
        key = json.dumps([row["messages"], who, chosen], sort_keys=True, default=repr)
        prompt = found.setdefault(key, _Prompt(messages=messages, params=chosen, rows=[]))
        prompt.rows.append(row)
    return list(found.values())


def _name(row: Row) -> str:
    return f"{row['provider']}/{row['model']}"
