from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from allos.errors import ConfigurationError
from allos.log.columns import FRAME_NAMES
from allos.log.filters import build_where, check_columns, check_limit, reject_unknown
from allos.log.rows import to_micros
from allos.log.store.protocol import Where
from allos.testing import ScriptedProvider

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def condition(**given: Any) -> Where:
    others = ("model", "since", "until", "tags", "text")
    named = {name: given.pop(name) for name in others if name in given}
    return build_where(given, now=NOW, **named)


def test_none_does_not_filter() -> None:
    """Without a value every row is selected."""
    assert condition(provider=None, model=None) == Where()


def test_one_value_is_a_list_of_one() -> None:
    """A string and an iterable of strings are both accepted, also an empty one."""
    found = condition(
        provider="groq", status=iter(["ok", "error"]), model="m", tags=[], text=("a",)
    )

    assert found == Where(
        any_of={"provider": ("groq",), "status": ("ok", "error")},
        models=("m",),
        tags=(),
        texts=("a",),
    )


@pytest.mark.parametrize(
    "given",
    [
        {"since": "someday"},
        {"until": ""},
        {"since": "1 month"},
        {"until": 5},
        {"since": "999999999d"},
        {"since": timedelta.max},
        {"until": timedelta.max},
        {"provider": 5},
        {"provider": ["groq", 5]},
        {"text": b"bytes"},
        {"status": "okay"},
    ],
)
def test_an_invalid_value_is_refused(given: dict[str, Any]) -> None:
    """The message names the filter and the value."""
    name, value = next(iter(given.items()))
    with pytest.raises(ConfigurationError, match=f"^{name}= ") as caught:
        condition(**given)

    assert repr(value if not isinstance(value, list) else value[1]) in str(caught.value)


def test_columns_are_checked_and_kept_in_order() -> None:
    """One name is a list of one; a name comes once; a wrong one offers the near match."""
    with pytest.raises(ConfigurationError, match=r"'latency'\..* Did you mean 'latency_s'"):
        check_columns(["latency"])

    assert check_columns(None) == FRAME_NAMES
    with pytest.raises(ConfigurationError, match=r"^columns= must be"):
        check_columns(5)  # type: ignore[arg-type]
    assert check_columns("model") == ("model",)
    assert check_columns(["model", "id", "model"]) == ("model", "id")


def test_an_unknown_filter_offers_the_near_match() -> None:
    """A mistyped filter is named, with the one that was meant."""
    with pytest.raises(
        ConfigurationError, match=r"no filter 'providers'\. Did you mean 'provider'"
    ):
        reject_unknown(["providers"], ["provider", "model"])


def test_a_time_is_a_bound() -> None:
    """`since` and `until` are points in time; an age counts back from now."""
    found = condition(since="1h", until=NOW)

    assert (found.since, found.until) == (to_micros(NOW - timedelta(hours=1)), to_micros(NOW))


@pytest.mark.parametrize("limit", [-1, "5", 2.0, True, 2**63, np.True_])
def test_a_limit_is_a_number_of_rows(limit: Any) -> None:
    """A count of Python or numpy is a limit; anything else is refused."""
    assert check_limit(np.int64(5)) == 5
    with pytest.raises(ConfigurationError, match="limit="):
        check_limit(limit)


def test_models_may_be_provider_objects() -> None:
    """A provider object stands for its name, alone and beside names."""
    provider = ScriptedProvider("Hi", model="m")
    name = f"{provider.name}/m"

    assert condition(model=provider) == Where(models=(name,))
    assert condition(model=[provider, "other"]) == Where(models=(name, "other"))
    assert condition(model=(each for each in [provider])) == Where(models=(name,))
    with pytest.raises(ConfigurationError, match="model= must be"):
        condition(model=3)
