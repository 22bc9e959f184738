from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from allos.analysis import leaderboard
from allos.errors import ConfigurationError

COLUMNS = ["model", "rating", "low", "high", "rank_low", "rank_high", "votes"]


def votes(count: int, strengths: dict[str, float], seed: int = 0) -> pd.DataFrame:
    chooser = np.random.default_rng(seed)
    names, values = list(strengths), np.array(list(strengths.values()))
    first = chooser.integers(len(names), size=count)
    second = (first + 1 + chooser.integers(len(names) - 1, size=count)) % len(names)
    wins = chooser.random(count) < 1 / (1 + np.exp(values[second] - values[first]))
    return pd.DataFrame(
        {
            "rater": [f"r{number % 25}" for number in range(count)],
            "prompt": [f"p{number % 80}" for number in range(count)],
            "model_a": np.array(names)[first],
            "model_b": np.array(names)[second],
            "winner": np.where(wins, "a", "b"),
        }
    )


def test_columns_and_order() -> None:
    """The known order is found, ranks are sets, and the votes are not changed."""
    given = votes(3000, {"a": 2.0, "b": 1.0, "c": 0.95, "d": 0.0})
    before = given.copy(deep=True)
    found = leaderboard(given)

    assert found.columns.tolist() == [*COLUMNS, "wins", "losses", "ties", "both_bad"]
    assert set(found["model"]) == set("abcd")
    assert found["model"].tolist()[0] == "a"
    assert found["model"].tolist()[3] == "d"
    assert found["rank_low"].tolist() == [1, 2, 2, 4]
    assert found["rank_high"].tolist() == [1, 3, 3, 4]
    assert found["rating"].mean() == pytest.approx(1000)
    assert found["votes"].sum() == 6000
    assert ((found["low"] < found["rating"]) & (found["rating"] < found["high"])).all()
    pd.testing.assert_frame_equal(given, before)


@pytest.mark.parametrize("count", [6, 40, 2000])
def test_a_model_that_always_wins(count: int) -> None:
    """Its rating is finite, and so is its interval, which votes make shorter."""
    given = votes(count, {"a": 0.0, "b": 0.0})
    found = leaderboard(given.assign(winner=np.where(given["model_a"] == "a", "a", "b")))

    assert found["model"].tolist() == ["a", "b"]
    assert np.isfinite(found[["rating", "low", "high"]]).all(axis=None)
    assert (found["rank_high"].tolist() == [1, 2]) is (count > 6)


def test_ties_and_both_bad() -> None:
    """Both are half a win for each, and counted apart."""
    given = votes(60, {"a": 0.0, "b": 0.0}).assign(winner=["tie", "bad", "bad"] * 20)
    found = leaderboard(given)

    assert found["rating"].tolist() == pytest.approx([1000, 1000])
    assert found["ties"].tolist() == [20, 20]
    assert found["both_bad"].tolist() == [40, 40]
    assert found["rank_low"].tolist() == [1, 1]


def test_the_order_of_the_two_answers() -> None:
    """A vote with the two answers swapped is the same vote."""
    given = votes(300, {"a": 1.0, "b": 0.5, "c": 0.0})
    swapped = given.rename(columns={"model_a": "model_b", "model_b": "model_a"})
    swapped["winner"] = given["winner"].map({"a": "b", "b": "a"})

    columns = ["model", "rating", "low", "high"]
    pd.testing.assert_frame_equal(leaderboard(given)[columns], leaderboard(swapped)[columns])


def test_too_few_votes() -> None:
    """Below a floor of votes the notes say so, and about how many more would do."""
    few, many = (
        leaderboard(votes(count, {"a": 0.8, "b": 0.0}, seed=1)).attrs["notes"]
        for count in (16, 2000)
    )

    assert len(few) == 1
    assert few[0].startswith("Too few votes: about ")
    assert few[0].endswith(" more would separate a and b.")
    assert many == []


def test_about_so_many_more_is_right() -> None:
    """With as many more votes as the notes ask for, the two are on the edge of being separated."""
    given = votes(40, {"a": 0.6, "b": 0.0}, seed=0)
    (note,) = leaderboard(given).attrs["notes"]
    more = int(note.split("bout ")[1].split(" more")[0].replace(",", ""))
    factor = round((40 + more) / 40 * 1.3) + 1
    grown = pd.concat(
        [
            given.assign(rater=given["rater"] + str(copy), prompt=given["prompt"] + str(copy))
            for copy in range(factor)
        ]
    )

    assert leaderboard(grown).attrs["notes"] == []


def test_models_that_no_vote_links() -> None:
    """Which of them is better is unknown, and said."""
    one, two = votes(200, {"a": 2.0, "b": 0.0}), votes(200, {"c": 2.0, "d": 0.0})
    found = leaderboard(pd.concat([one, two], ignore_index=True)).set_index("model")

    assert found.loc["a", ["rank_low", "rank_high"]].tolist() == [1, 3]
    assert found.loc["d", ["rank_low", "rank_high"]].tolist() == [2, 4]
    assert any("No vote links" in note for note in found.attrs["notes"])


def test_one_rater() -> None:
    """The votes of one person are ranked, and said to be those of one."""
    found = leaderboard(votes(100, {"a": 1.0, "b": 0.0}).assign(rater="me"))

    assert np.isfinite(found["low"]).all()
    assert (
        "All votes are of one rater: the intervals say nothing about others."
        in (found.attrs["notes"])
    )


def test_levels_nest() -> None:
    """A higher level has longer intervals and no smaller sets of ranks."""
    given = votes(400, {"a": 0.5, "b": 0.2, "c": 0.0})
    low, high = leaderboard(given, 0.5), leaderboard(given, level=0.99)

    assert (high["low"] < low["low"]).all()
    assert (high["rank_high"] >= low["rank_high"]).all()


def test_style_is_left_out() -> None:
    """A model that wins by length alone falls back once length is left out."""
    chooser = np.random.default_rng(0)
    given = votes(3000, {"long": 0.0, "short": 0.0})
    for side in ("a", "b"):
        base = np.where(given[f"model_{side}"] == "long", 300, 200)
        given[f"length_{side}"] = base * chooser.lognormal(0, 0.5, len(given))
    gap = (given["length_a"] - given["length_b"]) / (given["length_a"] + given["length_b"])
    wins = chooser.random(len(given)) < 1 / (1 + np.exp(-4 * gap))
    given["winner"] = np.where(wins, "a", "b")
    plain, controlled = leaderboard(given), leaderboard(given, style=["length"])

    def lead(found: pd.DataFrame) -> float:
        ratings = found.set_index("model")["rating"]
        return float(ratings["long"] - ratings["short"])

    assert lead(plain) > 80
    assert abs(lead(controlled)) < 40
    shift = controlled.set_index("model")["without_style"]
    assert shift["long"] == pytest.approx((lead(plain) - lead(controlled)) / 2)


def test_invalid() -> None:
    """No votes, and no frame."""
    with pytest.raises(ConfigurationError, match="no rows"):
        leaderboard(votes(5, {"a": 0, "b": 0}).iloc[:0])
    with pytest.raises(ConfigurationError, match="Expected a pandas DataFrame"):
        leaderboard([("a", "b")])  # type: ignore[arg-type]


def test_votes_of_judges_are_not_mixed_with_those_of_people() -> None:
    """Where both voted, people's count, and a note says so; judges alone can be ranked."""
    people = pd.DataFrame(
        {"rater": "ann", "prompt": range(9), "model_a": "x", "model_b": "y", "winner": "a"}
    )
    judges = people.assign(rater="judge:m/x", winner="b")
    both = leaderboard(pd.concat([people, judges]))

    assert both["model"].iloc[0] == "x"
    assert both["votes"].tolist() == [9, 9]
    assert both.attrs["notes"][0].startswith("9 votes of judges were left out")
    assert leaderboard(judges)["model"].iloc[0] == "y"
    assert (
        leaderboard(judges).attrs["notes"][0]
        == "No person has voted: these are votes of judge:m/x."
    )


def test_one_rater_alone() -> None:
    """A person, or a judge with or without its prefix; no vote of another one counts."""
    people = pd.DataFrame(
        {
            "rater": ["ann", "bob"] * 4,
            "prompt": range(8),
            "model_a": "x",
            "model_b": "y",
            "winner": "a",
        }
    )
    judged = [
        people.assign(rater=f"judge:m/{name}", winner=won) for name, won in (("p", "b"), ("q", "a"))
    ]
    every = pd.concat([people, *judged], ignore_index=True)

    assert leaderboard(every, rater="judge:m/p")[["model", "votes"]].values.tolist()[0] == ["y", 8]
    assert leaderboard(every, rater="m/q")[["model", "votes"]].values.tolist()[0] == ["x", 8]
    assert leaderboard(every, rater="ann")["votes"].tolist() == [4, 4]
    assert leaderboard(every)["votes"].tolist() == [8, 8]
    assert "16 votes of judges" in leaderboard(every).attrs["notes"][0]
    with pytest.raises(
        ConfigurationError, match=r"no vote of the rater 'an'. Did you mean 'ann'\?"
    ):
        leaderboard(every, rater="an")


def test_votes_between_answers_of_one_model() -> None:
    """A vote on two settings of one model ranks no models: it is left out, and hinders no others."""
    votes = pd.DataFrame(
        {"rater": "ann", "prompt": range(9), "model_a": "x", "model_b": "y", "winner": "a"}
    )
    same = votes.assign(model_b="x").head(2)
    ranked = leaderboard(pd.concat([votes, same]))

    pd.testing.assert_frame_equal(ranked, leaderboard(votes))
    assert (
        "2 votes between two answers of one model were left out: they rank no models"
        in ranked.attrs["notes"][0]
    )
    with pytest.raises(ConfigurationError, match="2 of 2 votes are between two answers"):
        leaderboard(same)
