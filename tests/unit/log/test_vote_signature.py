"""The key of a log's votes: private, made once, and another one for each page."""

from __future__ import annotations

import hmac
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from allos.errors import LogError
from allos.log.vote_signature import is_signed, page_key, signature


def test_each_page_has_its_own_key_and_it_stays(tmp_path: Path) -> None:
    """Also in another process; the log's own key is in none of them."""
    log = tmp_path / "new" / "log.sqlite"
    one, other = page_key(log, "page_1"), page_key(log, "page_2")
    (path,) = log.parent.iterdir()

    assert one != other
    assert page_key(log, "page_1") == one
    assert path.name == "log.sqlite.votes-key"
    assert path.read_text() not in (one, other)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_first_one_who_makes_the_key_wins(tmp_path: Path) -> None:
    """Two kernels that export at once use one key."""
    log = tmp_path / "log.sqlite"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: page_key(log, "page"), range(8)))

    assert len(keys) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_signed_is_the_text(tmp_path: Path) -> None:
    """Another text, another page, and any other signature are told."""
    log = tmp_path / "log.sqlite"
    key = page_key(log, "page")
    signed = signature(key, "Grüße")

    assert signed == hmac.new(bytes.fromhex(key), "Grüße".encode(), sha256).hexdigest()
    assert is_signed(log, "page", "Grüße", signed)
    assert not is_signed(log, "page", "Gruesse", signed)
    assert not is_signed(log, "other", "Grüße", signed)
    assert not is_signed(log, "page", "Grüße", "")


def test_a_damaged_key_is_told(tmp_path: Path) -> None:
    """It is not replaced: pages that were signed with it are out."""
    (tmp_path / "log.sqlite.votes-key").write_text("12")
    with pytest.raises(LogError, match="votes-key"):
        page_key(tmp_path / "log.sqlite", "page")
