from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import allos
import allos.log
from allos.context import RunContext
from allos.errors import ConfigurationError
from allos.log.frame import frame_of
from allos.log.query import responses
from allos.runs.frame_accessor import Cost
from tests.support.log_rows import a_response, record


def rows(*costs: float | None, **metadata: object) -> pd.DataFrame:
    """A frame of calls with these costs."""
    return frame_of(
        [
            a_response(n, metadata={**metadata, **({} if usd is None else {"cost_usd": usd})})
            for n, usd in enumerate(costs)
        ]
    )


@pytest.mark.parametrize(
    ("costs", "total"),
    [
        ((0.25, 0.5), Cost(0.75, 0, 2)),
        ((0.25, None, None), Cost(0.25, 2, 3)),
        ((None, None), Cost(None, 2, 2)),
        ((0.0, None), Cost(0.0, 1, 2)),
        ((), Cost(0.0, 0, 0)),
    ],
)
def test_unknown_costs_are_counted(costs: tuple[float | None, ...], total: Cost) -> None:
    """A total says how many costs it does not know; of nothing but unknown ones there is no total."""
    assert rows(*costs).allos.cost() == total


def test_a_total_is_never_a_plain_zero() -> None:
    """A total with unknown costs says so in words, and is not a number."""
    unknown = rows(None, None).allos.cost()

    assert (str(unknown), repr(unknown)) == ("unknown (2 calls)", "unknown (2 calls)")
    assert str(rows(0.25, None).allos.cost()) == "$0.25 + 1 unknown"
    assert str(rows().allos.cost()) == "$0"
    assert float(rows(0.25, 0.5).allos.cost()) == 0.75
    with pytest.raises(ValueError, match="2 of 2 costs are unknown"):
        float(unknown)


def test_what_costs_nothing() -> None:
    """Replayed answers, calls that were refused before they were sent, and the embedded model are free."""
    replayed = frame_of([a_response(0, replayed=True, metadata={"cost_usd": 0.25})])

    assert replayed.allos.cost() == Cost(0.0, 0, 1)
    assert rows(None, attempts=0).allos.cost() == Cost(0.0, 0, 1)
    assert rows(None, provider="local").allos.cost() == Cost(0.0, 0, 1)


def test_cost_by_columns() -> None:
    """One row per group, the dearest first; sums of unknown values are unknown."""
    frame = pd.concat(
        [
            rows(0.25, None, model="cheap"),
            rows(0.5, 0.5, model="dear"),
            rows(None, model="nobody-knows", status="error", input_tokens=None),
        ],
        ignore_index=True,
    )
    by_model = frame.allos.cost(by="model")

    assert list(by_model.index) == ["dear", "cheap", "nobody-knows"]
    assert by_model["cost_usd"].tolist()[:2] == [1.0, 0.25]
    assert by_model.loc["nobody-knows", ["cost_usd", "input_tokens"]].isna().all()
    assert by_model["unknown_costs"].tolist() == [0, 1, 1]
    assert by_model["failed"].tolist() == [0, 0, 1]
    assert by_model["input_tokens"].tolist()[:2] == [21, 21]
    assert frame.allos.cost(by=["provider", "model"]).index.names == ["provider", "model"]
    assert len(rows().allos.cost(by="model")) == 0


def test_any_frame_of_the_log_has_it(tmp_path: Path) -> None:
    """A chosen part of the columns is enough, and a filtered frame keeps it."""
    allos.log.open(tmp_path / "log.sqlite")
    record(a_response(0, metadata={"cost_usd": 0.25}), a_response(1))

    assert responses(columns="cost_usd").allos.cost() == Cost(0.25, 1, 2)
    assert responses().query("input_tokens > 10").allos.cost() == Cost(None, 1, 1)


def test_another_frame_is_told_what_is_missing() -> None:
    """Without a column that is needed, the message names it."""
    with pytest.raises(ConfigurationError, match=r"no column 'cost_usd'\. Did you mean 'cost'"):
        pd.DataFrame({"cost": [1]}).allos.cost()
    with pytest.raises(ConfigurationError, match=r"no column 'modle'\. Did you mean 'model'"):
        rows(0.25).allos.cost(by="modle")


def test_the_summaries_are_methods_of_the_frame() -> None:
    """Each function of `allos.analysis` that reads one frame of calls is a method of ``df.allos``."""
    frame = rows(0.25, None)

    assert frame.allos.summary()["calls"].tolist() == [2]
    assert frame.allos.cost_report(by="provider")["unknown_costs"].tolist() == [1]
    assert len(frame.allos.errors()) == 0
    assert frame.allos.timeline(every="1D")["calls"].sum() == 2
    assert "latency_s" in set(frame.allos.drift(frame)["measure"])
    assert frame.allos.pareto(against="latency_s")["answers"].tolist() == [0]
    assert len(frame.allos.disagreement()) == 0


def test_the_statistics_are_methods_of_the_frame() -> None:
    """Scores of answers, and votes, are analysed where they are."""
    chosen = [
        (model, prompt, int(model == "a") + prompt % 2) for model in "ab" for prompt in range(6)
    ]
    scored = pd.DataFrame(chosen, columns=["model", "prompt", "score"])
    options = {"score": "score"}

    assert scored.allos.score_summary(**options)["model"].tolist() == ["a", "b"]
    assert scored.allos.paired(a="a", b="b", **options)["difference"].tolist() == [1.0]
    assert len(scored.allos.compare_all(**options)) == 1
    assert len(scored.allos.variance_split(**options)) == 2
    passed = scored.assign(score=scored["score"] > 0)
    assert passed.allos.pass_at_k(k=1, **options)["model"].tolist() == ["a", "b"]
    assert passed.allos.pass_all_k(k=1, **options)["model"].tolist() == ["a", "b"]


def test_votes_are_ranked(tmp_path: Path) -> None:
    """The votes of the log have what a ranking needs."""
    allos.log.open(tmp_path / "log.sqlite")
    record(*(a_response(n, metadata={"model": "ab"[n % 2]}) for n in range(8)))
    for n in range(0, 8, 2):
        allos.vote(a_response(n), a_response(n + 1), "a", rater=f"rater {n}")
    ranked = allos.votes().allos.leaderboard()
    allos.log.close()

    assert ranked["model"].tolist() == ["groq/a", "groq/b"]


def test_settings_that_were_compared_are_kept_apart_or_named() -> None:
    """In costs and in charts: one more line below the title says what is taken together."""
    pytest.importorskip("altair")
    frame = frame_of(
        [
            a_response(
                n,
                metadata={"temperature": float(n % 2), "params": None, "cost_usd": 0.1},
                context=RunContext(comparison_id="cmp_1"),
            )
            for n in range(4)
        ]
    ).assign(score=[0, 1, 1, 1])
    settings = {f"groq/llama-3.1-8b-instant (temperature {value})" for value in (0, 1)}
    charts = {
        name: (
            frame.allos.plot_heatmap(score="score", by=name),
            frame.allos.plot_latency(by=name),
            frame.allos.plot_cost(by=name),
        )
        for name in ("model", "setting")
    }

    assert set(frame.allos.setting_labels()) == settings
    assert set(frame.allos.cost(by="setting").index) == settings
    assert "taken together" in frame.allos.cost(by="model").attrs["notes"][0]
    for chart in charts["model"]:
        assert "taken together" in " ".join(chart.to_dict()["title"]["subtitle"])
    for chart in charts["setting"]:
        assert isinstance(chart.to_dict()["title"]["subtitle"], str)
        assert "(temperature 1)" in str(chart.to_dict()["datasets"])
