"""An exported page: one script, one sheet, nothing that loads, whatever the data holds."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest

from allos.render.comparison_page import DATA_ID, comparison_page
from tests.support.hostile import HOSTILE


class _Elements(HTMLParser):
    """Start tags with their attributes, and the text of scripts and sheets."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] in ("script", "style") and data.strip():
            self.texts.append((self.found[-1][0], data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of the elements of one kind."""
        return [attributes for name, attributes in self.found if name == tag]


def _page(**given: Any) -> str:
    defaults = {"title": "Title", "note": "Note", "table": "<p>Table</p>", "data": {}}
    return comparison_page(**{**defaults, **given})


def _data(page: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{DATA_ID}">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])


def test_the_policy_allows_its_script_and_its_sheet_alone() -> None:
    """By their hashes; images are in the page, and there is no address in it."""
    elements = _Elements(_page())
    policy = next(each["content"] for each in elements.all("meta") if "http-equiv" in each) or ""
    allowed = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    hashes = {
        tag: f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
        for tag, text in elements.texts
    }

    assert allowed["default-src"] == "'none'"
    assert allowed["script-src"] == hashes["script"]
    assert allowed["style-src"] == hashes["style"]
    assert allowed["img-src"] == "data:"
    assert not any(name in each for _, each in elements.found for name in ("src", "href", "style"))


@pytest.mark.parametrize("text", [text for _, text in HOSTILE], ids=[name for name, _ in HOSTILE])
def test_data_are_no_markup(text: str) -> None:
    """What ends a script or begins a comment is spelled otherwise; the script reads what was meant."""
    whole = text.encode(errors="replace").decode()
    page = _page(title=text, note=text, data={text: [text]})
    elements = _Elements(page)

    assert _data(page) == {whole: [whole]}
    assert [tag for tag, _ in elements.found] == [tag for tag, _ in _Elements(_page()).found]
    assert page.count("<script") == _page().count("<script")


def test_numbers_that_json_does_not_know_are_unknown() -> None:
    """A frame may hold them; one of them would cost the whole page."""
    page = _page(data={"a": [float("nan"), float("inf"), 1.5]})

    assert _data(page) == {"a": [None, None, 1.5]}
