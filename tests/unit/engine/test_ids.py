from __future__ import annotations

import re
import threading

from allos.engine.ids import new_id


def test_ids_sort_by_time() -> None:
    """Ids are ULIDs, later ones sort later, and none comes twice from several threads."""
    found: list[list[str]] = [[] for _ in range(4)]

    def make(mine: list[str]) -> None:
        mine += [new_id() for _ in range(500)]

    threads = [threading.Thread(target=make, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(mine == sorted(mine) for mine in found)
    assert len({id_ for mine in found for id_ in mine}) == 2000
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", new_id())
