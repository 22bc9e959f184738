from __future__ import annotations

import pandas as pd

from allos.dtypes import text_dtype
from tests.dtypes import TEXT


def test_text_is_pandas_own_string_dtype() -> None:
    """``str`` on pandas 3, ``string`` on pandas 2; nulls stay nulls in either."""
    texts = pd.array(["a", None], dtype=text_dtype())

    assert text_dtype() == TEXT
    assert isinstance(texts.dtype, pd.StringDtype)
    assert texts.isna().tolist() == [False, True]
