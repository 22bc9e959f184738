"""Parameters as labels, and names of settings."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from allos.call_params import params_of, setting_labels

PARAMS = st.fixed_dictionaries(
    {}, optional={"temperature": st.sampled_from([0, 0.0, 1]), "user": st.sampled_from(["x", "y"])}
)


def test_parameters_are_those_of_a_row_or_of_a_response() -> None:
    """The column is JSON text, the metadata of a response a dict."""
    for params in ('{"effort": "low"}', {"effort": "low"}):
        assert params_of({"seed": 1, "top_p": None, "params": params, "model": "m"}) == {
            "seed": 1,
            "effort": "low",
        }
    assert params_of({}) == {}


def test_only_settings_of_one_model_are_told_apart() -> None:
    """A model that stands once needs no parameters in its name."""
    names = ["x/a", "x/a", "x/b"]
    params: list[dict[str, Any]] = [
        {"temperature": 0.0, "seed": 1},
        {"temperature": 1, "seed": 1},
        {"temperature": 1, "seed": 2},
    ]

    assert setting_labels(names, params) == ["x/a (temperature 0)", "x/a (temperature 1)", "x/b"]
    assert setting_labels(["x/a"] * 2, [{}, {}], [["before"], ["again"]]) == [
        "x/a (before)",
        "x/a (again)",
    ]


@given(st.lists(st.tuples(st.sampled_from(["x/a", "x/b"]), PARAMS), max_size=6))
def test_no_two_have_one_name(settings: list[tuple[str, dict[str, Any]]]) -> None:
    """Where nothing that may be shown differs, they are numbered."""
    labels = setting_labels([name for name, _ in settings], [params for _, params in settings])

    assert len(set(labels)) == len(settings)
    assert all(label.startswith(name) for label, (name, _) in zip(labels, settings, strict=True))
