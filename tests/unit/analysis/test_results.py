"""What the functions of the analysis return: a DataFrame with a chart, whose parts are ordinary frames."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType

import pandas as pd
import pytest

from allos import analysis
from allos.analysis.results import ResultFrame, as_result
from allos.errors import ConfigurationError

ANSWERS = pd.DataFrame(
    {"model": ["a", "a", "b", "b"], "prompt": [1, 2, 1, 2], "right": [1, 0, 1, 1]}
)


def test_a_part_of_a_result_is_an_ordinary_frame() -> None:
    """All that pandas makes of a result is pandas' own; its first and last rows have its table and chart."""
    result = analysis.score_summary(ANSWERS, score="right")
    parts = [
        result.iloc[:1],
        result[["model"]],
        result.copy(),
        result.query("mean > 0"),
        result * 2,
    ]
    ends = [result.head(1), result.tail(1)]

    assert isinstance(result, ResultFrame)
    assert [type(part) for part in parts] == [pd.DataFrame] * 5
    assert [end.result_of for end in ends] == ["score_summary"] * 2
    assert [end["model"].tolist() for end in ends] == [["b"], ["a"]]
    assert result.attrs == result.copy().attrs != {}


def test_a_result_is_what_it_was_before_it_had_a_chart() -> None:
    """Its values, types and text are those of the frame; a pickle keeps what it is the result of."""
    plain = pd.DataFrame({"mean": [0.5], "note": ["x"]})
    plain.attrs["level"] = 0.95
    result = as_result(plain, "score_summary")
    again = pickle.loads(pickle.dumps(result))

    pd.testing.assert_frame_equal(pd.DataFrame(result), plain)
    assert repr(result) == repr(plain)
    assert result._repr_html_() == plain._repr_html_()  # type: ignore[operator]
    assert (again.result_of, again.attrs) == ("score_summary", {"level": 0.95})


@pytest.mark.parametrize("name", analysis.__all__)
def test_each_function_says_what_it_is(name: str) -> None:
    """The decorator leaves name, signature and docstring as they are."""
    function = getattr(analysis, name)

    assert function.__name__ == name
    assert "Returns" in function.__doc__


def test_pandas_draws_what_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """With arguments, and by its own methods, `plot` is that of pandas."""
    backend = ModuleType("drawing")
    backend.plot = lambda data, kind, **_: (kind, len(data))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "drawing", backend)
    result = analysis.score_summary(ANSWERS, score="right")

    assert result.plot(kind="bar", x="model", backend="drawing") == ("bar", 2)
    assert result.plot.barh(x="model", backend="drawing") == ("barh", 2)


def test_a_result_without_a_chart_says_so() -> None:
    """One line names what else can be done."""
    result = analysis.variance_split(pd.concat([ANSWERS, ANSWERS]), score="right")

    with pytest.raises(
        ConfigurationError, match=r"^variance_split\(\) has no chart .* \.plot\.bar"
    ):
        result.plot()
