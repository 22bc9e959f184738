"""The dtype of text columns: it depends on the pandas that is installed."""

from __future__ import annotations

from typing import Literal


def text_dtype() -> Literal["str", "string"]:
    """Pandas' own string dtype, by the name to construct it with.

    ``"str"`` on pandas 3. On pandas 2 that name means Python objects, and turns a null into the text
    ``'None'``; its string dtype is called ``"string"``.

    Returns
    -------
    str
        A name that `pandas.array`, `pandas.Series` and ``astype`` take, and that keeps nulls.

    Examples
    --------
    >>> import pandas as pd
    >>> pd.Series(["a", None], dtype=text_dtype()).isna().tolist()
    [False, True]
    """
    import pandas as pd

    # Asked each time: pandas' option `future.infer_string` changes the answer.
    return "str" if isinstance(pd.api.types.pandas_dtype("str"), pd.StringDtype) else "string"
