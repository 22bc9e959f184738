"""A model's own HTML, for those who asked for it."""

from __future__ import annotations

import inspect

from allos.notebook.live_output import LiveOutput
from allos.render.answer import answer_html, answer_text, body_html
from allos.render.unsafe import UNSAFE_NOTICE
from allos.response import ProviderResponse

RESPONSE = ProviderResponse(
    "**Hi** <script>go()</script> ![x](https://a.invalid/x.png)",
    reasoning="<script>no()</script>",
    metadata={"model": "<img src=x>"},
)


def test_unsafe_html_is_loud() -> None:
    """The answer's HTML stands below a notice, in HTML and in text; all else stays text."""
    html = answer_html(RESPONSE, unsafe_html=True)

    assert "<script>go()</script>" in html
    assert '<img src="https://a.invalid/x.png"' in html
    assert html.index("UNSAFE: the model&#x27;s own HTML") < html.index("<script>go()")
    assert "<script>no()" not in html
    assert "<img src=x>" not in html
    assert answer_text(RESPONSE, unsafe_html=True).startswith(UNSAFE_NOTICE)


def test_it_is_never_the_default() -> None:
    """Whoever does not ask for it in the call itself does not get it, on the board never."""
    for shows in (answer_html, answer_text, LiveOutput.__init__):
        parameter = inspect.signature(shows).parameters["unsafe_html"]
        assert parameter.default is False
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert "unsafe_html" not in inspect.signature(body_html).parameters
    assert "<script>go()" not in answer_html(RESPONSE)
    assert "UNSAFE" not in answer_html(RESPONSE) + answer_text(RESPONSE)
