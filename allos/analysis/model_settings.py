"""Settings: a model with its parameters. `by="setting"`, and a note where settings were taken together."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from allos import call_params
from allos.analysis.frames import (
    check_columns,
    check_frame,
    compact,
    group,
    pair_codes,
    value_codes,
)
from allos.call_params import PARAM_COLUMNS
from allos.dtypes import text_dtype

P = ParamSpec("P")
R = TypeVar("R")

SETTING = "setting"
"""What `by` is to group by model and parameters."""
MIXED_SETTINGS = "mixed_settings"
"""Key of ``frame.attrs``: the note again, which a chart of the frame shows."""
_MODEL = ("provider", "model")
_PARAMS = (*PARAM_COLUMNS, "params")
_RUNS = ("comparison_id", "run_id")
_NAMED = 3
"""So many models or parameters are named in a note."""


def setting_labels(frame: pd.DataFrame) -> pd.Series[str]:
    """Setting of each row: its model, and the parameters that tell its settings apart.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows of `allos.responses`, or any frame with `model` and some of its columns.

    Returns
    -------
    pandas.Series
        Named ``setting``, with the index of the frame. A model that has the same parameters in all rows is
        named alone; two settings never have one name.

    Raises
    ------
    ConfigurationError
        The frame has no column `model`.

    Examples
    --------
    >>> import pandas as pd
    >>> df = pd.DataFrame({"model": ["a", "a", "b"], "temperature": [0, 1, 1]})
    >>> setting_labels(df).tolist()
    ['a (temperature 0)', 'a (temperature 1)', 'b']
    """
    check_frame(frame, "setting_labels")
    check_columns(frame, ["model"], "setting_labels")
    groups = group(frame, _present(frame, (*_MODEL, *_PARAMS)))
    rows = _records(groups.keys)
    labels = call_params.setting_labels(
        [_name(row) for row in rows], [_params(row) for row in rows]
    )
    found = pd.Series(np.array(labels, dtype=object)[groups.codes], index=frame.index, name=SETTING)
    return found.astype(text_dtype())


def compared_settings(frame: pd.DataFrame, by: Sequence[Any] = ("model",)) -> dict[str, list[str]]:
    """Models of which several settings were compared in one run and are one group here.

    Parameters
    ----------
    frame : pandas.DataFrame
    by : sequence of str
        What is grouped by. Where the model is not among it, settings are taken together on purpose.

    Returns
    -------
    dict
        Names of the parameters in which they differ, by ``provider/model``.
    """
    runs = _present(frame, _RUNS)
    if "model" not in by or not len(frame) or not any(frame[name].notna().any() for name in runs):
        return {}
    codes = {
        name: of_param
        for name in _present(frame, _PARAMS)
        if name not in by
        and (of_param := value_codes(frame, name)).any()  # it is not all one value
    }
    if not codes:
        return {}
    run = np.full(len(frame), -1, dtype=np.intp)
    for number, name in enumerate(reversed(runs)):
        of_name = pd.factorize(frame[name])[0]
        run = np.where(of_name >= 0, of_name * len(runs) + number, run)
    rows = np.flatnonzero(run >= 0)
    place = compact(run[rows])
    for name in dict.fromkeys([*_present(frame, _MODEL), *by]):
        place = compact(pair_codes(place, value_codes(frame, name)[rows]))
    found: dict[str, list[str]] = {}
    for name, of_param in codes.items():
        values = of_param[rows]
        first = np.zeros(int(place.max()) + 1, dtype=np.intp)
        first[place[::-1]] = values[::-1]
        differs = rows[first[place] != values]
        for row in _records(frame[_present(frame, _MODEL)].iloc[differs].drop_duplicates()):
            found.setdefault(_name(row), []).append(name)
    return found


def groups_settings(*frames: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator of a function of frames with a parameter `by`.

    ``by="setting"`` groups by `setting_labels`, unless the frame has such a column of its own. Where settings of
    one model that were compared with each other are taken together, the result's notes say so.

    Parameters
    ----------
    *frames : str
        Names of the parameters that are frames.
    """

    def of(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapped(*args: P.args, **options: P.kwargs) -> R:
            given = signature.bind(*args, **options)
            given.apply_defaults()
            by = given.arguments["by"]
            names = _names(by)
            found = [given.arguments[name] for name in frames]
            if not all(isinstance(each, pd.DataFrame) for each in found):
                return function(*args, **options)
            if SETTING in names and not any(SETTING in each.columns for each in found):
                labels = setting_labels(found[0] if len(found) == 1 else pd.concat(found))
                for name, each in zip(frames, found, strict=True):
                    given.arguments[name] = each.assign(**{SETTING: labels.array[: len(each)]})
                    labels = labels.iloc[len(each) :]
                return function(*given.args, **given.kwargs)
            result = function(*args, **options)
            note = settings_note(found, names)
            if note and isinstance(result, pd.DataFrame):
                before = result.attrs.get("notes") or []
                before = [before] if isinstance(before, str) else list(before)
                result.attrs.update({"notes": [*before, note], MIXED_SETTINGS: note})
            return result

        return wrapped

    return of


def with_settings(frame: pd.DataFrame, by: Any) -> pd.DataFrame:
    """The frame for a chart: with the column `setting` where it is grouped by, else with its note.

    The frame itself is not changed.
    """
    names = _names(by)
    if not isinstance(frame, pd.DataFrame):
        return frame
    if SETTING in names and SETTING not in frame.columns:
        return frame.assign(**{SETTING: setting_labels(frame)})
    note = settings_note([frame], names)
    if note:
        frame = frame.copy(deep=False)
        frame.attrs = {**frame.attrs, MIXED_SETTINGS: note}
    return frame


def note_of(frame: pd.DataFrame) -> dict[str, Any]:
    """``attrs`` of what is made of a frame of `with_settings`: its note, if it has one."""
    note = frame.attrs.get(MIXED_SETTINGS)
    return {"notes": [note], MIXED_SETTINGS: note} if note else {}


def settings_note(frames: Iterable[pd.DataFrame], by: Sequence[Any]) -> str:
    """Sentence that says which settings are taken together; empty where none are."""
    mixed: dict[str, list[str]] = {}
    for frame in frames:
        for model, params in compared_settings(frame, by).items():
            mixed[model] = list(dict.fromkeys([*mixed.get(model, []), *params]))
    if not mixed:
        return ""
    models = ", ".join(mixed) if len(mixed) <= _NAMED else f"{len(mixed):,} models"
    params = list(dict.fromkeys(name for names in mixed.values() for name in names))
    what = ", ".join("other parameters" if name == "params" else name for name in params[:_NAMED])
    return (
        f"Settings of {models} that differ in {what} are taken together: "
        'by="setting" separates them.'
    )


def _names(by: Any) -> list[Any]:
    if by is None:
        return []
    return [by] if isinstance(by, str) or not isinstance(by, Iterable) else list(by)


def _present(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Those of the columns that the frame has, once."""
    return [name for name in names if name in frame.columns and isinstance(frame[name], pd.Series)]


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    plain = frame.astype(object)
    return plain.where(frame.notna(), None).to_dict("records")


def _name(row: dict[Any, Any]) -> str:
    """``provider/model`` of a row."""
    return f"{row['provider']}/{row['model']}" if row.get("provider") else str(row["model"])


def _params(row: dict[Any, Any]) -> dict[str, Any]:
    try:
        return call_params.params_of(row)
    except (ValueError, TypeError):  # the frame has a column `params` of its own
        return {name: row[name] for name in _PARAMS if row.get(name) is not None}
