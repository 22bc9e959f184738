"""`allos.search`: logged responses by words in their prompt or content."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from allos.errors import ConfigurationError, did_you_mean
from allos.log.columns import SUMMARY
from allos.log.filters import build_where, check_columns, check_limit, utc_now
from allos.log.query import open_store
from allos.log.text_folding import snippet, split_words

if TYPE_CHECKING:
    import pandas as pd

_PHRASE = re.compile(r'"([^"]*)"|(\S+)')
_LONGEST_QUERY = 1000
_MOST_WORDS = 50
_FILTERS = (
    *("provider", "model", "status", "since", "until", "tags", "notebook"),
    *("comparison_id", "conversation", "conversation_id", "session_id"),
)
_COLUMNS = (*SUMMARY, "notebook", "comparison_id", "id")


def search(
    query: str,
    *,
    limit: int = 20,
    columns: Iterable[str] | str | None = None,
    **filters: Any,
) -> pd.DataFrame:
    """Logged responses whose prompt or content has these words, the best match first.

    Beginnings of words match, in any script: ``"tramp"`` finds "Trampoline", ``"天气"`` "今天天气"; where no
    response has them, parts of words do. Case and accents do not matter: ``"brulee"`` finds "Brûlée". The first
    search of a log builds its index, in a file beside the log; later ones add what is new.

    Parameters
    ----------
    query : str
        Words, all of which must occur; those ``"in quotes"`` one behind the other. Nothing else in it has a
        meaning: signs other than letters and digits only separate words.
    limit : int
        Most rows.
    columns : str or iterable of str, optional
        Columns of the log that the frame is to have, instead of the usual ones.
    **filters
        Those of `allos.responses`: `provider`, `model`, `status`, `since`, `until`, `tags`, `notebook` ...

    Returns
    -------
    pandas.DataFrame
        One row per response: `found_in` (``prompt``, ``content``, or both as ``prompt, content``), `snippet`
        (the text around the first match), and columns of the log. Of more than 1,000 matches the newest come first.

    Raises
    ------
    ConfigurationError
        An empty or overlong query, an unknown filter or column.
    LogError
        The log is off or cannot be read.

    Examples
    --------
    ::

        allos.search("trampoline")
        allos.search('"strong fabric" jump', model="local/smollm2", since="1w")
    """
    import pandas as pd

    words = query_words(query)
    for name in filters:
        if name not in _FILTERS:
            raise ConfigurationError(
                f"search() has no filter {name!r}.{did_you_mean(name, _FILTERS)} "
                f"Valid filters: {', '.join(_FILTERS)}"
            )
    wanted = _COLUMNS if columns is None else check_columns(columns)
    most = check_limit(limit)
    if most is None:
        raise ConfigurationError("limit= must be an integer >= 0, got None")
    given = {name: filters.pop(name, None) for name in ("model", "since", "until", "tags")}
    where = build_where(filters, now=utc_now(), **given)
    store, _ = open_store()
    from allos.log.frame import assemble, column

    stored = [name for name in wanted if name not in _joined()]
    if len(stored) < len(wanted):
        raise ConfigurationError(
            "search() returns no ratings: allos.responses() joins them, by `id`"
        )
    names = list(dict.fromkeys([*wanted, "prompt", "content"]))
    block = store.search(words, where, names, most)
    data = {name: column([block], name) for name in names}
    texts = {name: data[name].to_numpy(dtype=object, na_value="") for name in ("prompt", "content")}
    places, snippets = [], []
    for prompt, content in zip(texts["prompt"], texts["content"], strict=True):
        found = {"prompt": snippet(prompt, words), "content": snippet(content, words)}
        places.append(", ".join(name for name, part in found.items() if part))
        snippets.append(found["content"] or found["prompt"] or "")
    frame = assemble({name: data[name] for name in wanted}, block.row_count)
    position = min(3, len(wanted))
    frame.insert(position, "found_in", pd.Series(places, dtype=_text()))
    frame.insert(position + 1, "snippet", pd.Series(snippets, dtype=_text()))
    return frame


def query_words(query: str) -> list[str]:
    """Words of a query as `split_words` splits them, each once.

    Examples
    --------
    >>> query_words('Crème "for two" AND foo_bar')
    ['creme', 'for two', 'and', 'foo bar']
    """
    given: object = query
    if not isinstance(given, str) or not given.strip():
        raise ConfigurationError(
            f"search() needs words to look for, as in allos.search('trampoline'), got {query!r:.80}"
        )
    if len(query) > _LONGEST_QUERY:
        raise ConfigurationError(
            f"search() takes at most {_LONGEST_QUERY:,} characters, got {len(query):,}"
        )
    found = [phrase or word.replace('"', "") for phrase, word in _PHRASE.findall(query)]
    words = [word for word in map(split_words, found) if word]
    if not words:
        raise ConfigurationError(
            f"search() needs words to look for, letters or digits, got {query!r:.80}"
        )
    if len(words) > _MOST_WORDS:
        raise ConfigurationError(f"search() takes at most {_MOST_WORDS} words, got {len(words)}")
    return list(dict.fromkeys(words))


def _joined() -> frozenset[str]:
    from allos.log.columns import COLUMNS

    return frozenset(column.name for column in COLUMNS if column.joined)


def _text() -> Any:
    from allos.dtypes import text_dtype

    return text_dtype()
