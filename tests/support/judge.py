"""A judge of the HTML that allos makes; it shares no code with what it judges."""

from __future__ import annotations

import re
from base64 import b64decode
from html.parser import HTMLParser
from urllib.parse import urlsplit

# What may come out, said again on its own: the judge must not share the renderer's mistakes.
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_TAGS = _HEADINGS | {"a", "b", "blockquote", "br", "code", "details", "div", "em", "hr", "li", "ol"}
_TAGS |= {"p", "pre", "s", "small", "span", "strong", "style", "summary", "table", "tbody", "td"}
_TAGS |= {"th", "thead", "tr", "ul", "rp"}
_MATHS = {
    "math",
    "mfrac",
    "mi",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mroot",
    "mrow",
    "mspace",
}
_MATHS |= {"msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder"}
_MATHS |= {"munderover"}
# Of a formula: short sizes, booleans and keywords. Nothing that names a place, a class or a style.
_SIZES = {
    "display",
    "linethickness",
    "mathvariant",
    "stretchy",
    "fence",
    "largeop",
    "movablelimits",
}
_SIZES |= {"accent", "form", "minsize", "maxsize", "width", "displaystyle", "scriptlevel"}
_SIZES |= {"columnalign"}
_SIZE = re.compile(r"[a-z]{1,8}|-?[0-9.]{1,7}(em|ex|pt|px)?")
_ATTRIBUTES = {
    "a": {"href", "target", "rel"},
    "ol": {"start"},
    "b": {"title"},
    "span": {"title", "hidden"},
}
_INLINE = {"text-align:left", "text-align:right", "vertical-align:top", "white-space:nowrap"}
_INLINE |= {"min-width:12em", "min-width:9em", "padding-right:10px"}
"""Declarations of a style attribute: where a cell's words stand, which no style sheet need say."""
_CODE = {"white-space:pre", "white-space:pre-wrap", "word-break:normal", "overflow-x:auto"}
_CODE |= {"overflow-wrap:break-word", "text-align:left"}
_STYLES = {
    **dict.fromkeys(("td", "th"), _INLINE | {"text-align:center"}),
    "pre": _CODE,
    "code": {"white-space:pre", "white-space:pre-wrap"},
    "div": {"overflow-x:auto", "overflow-wrap:break-word"},
    # At least so much for each column.
    "table": {"table-layout:fixed", "width:100%", *(f"min-width:{10 * n}em" for n in range(13))},
}
_TURNED = _HEADINGS | {"p", "ol", "ul", "blockquote", "table"}
"""Blocks that may run from right to left, and then stand at the right."""
_STYLES |= {tag: {"text-align:right"} for tag in _TURNED - {"table"}}
_STYLES["table"] |= {"margin-left:auto"}
_CLASS = re.compile(r"allos-[a-z]+|allos-shade[0-3]|mathjax_ignore|tex2jax_ignore|jp-toc-ignore")
_ANCHOR = re.compile(r"allos-(cmp-[0-9a-z_]+-)?[a-z]+[0-9]+")
"""Id of an answer in a table, which links find."""
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_VOID = {"br", "hr"}
_MAGIC = {
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "gif": re.compile(rb"GIF8[79]a"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


class _Judge(HTMLParser):
    def __init__(
        self, styles: frozenset[str], classes: frozenset[str], *, images: bool = False
    ) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.styles = styles
        self.classes = classes
        self.images = images

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img" and self.images:
            self._image(dict(attrs))
            return
        if tag not in _TAGS | _MATHS or (tag in _MATHS - {"math"} and "math" not in self.open):
            self.faults.append(f"element {tag}")
        if tag == "a" and "a" in self.open:
            self.faults.append("a link inside a link")
        if tag not in _VOID:
            self.open.append(tag)
        for name, value in attrs:
            self._attribute(tag, name, value or "")

    def _image(self, attrs: dict[str, str | None]) -> None:
        source = re.fullmatch(
            r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})", attrs.get("src") or ""
        )
        if set(attrs) != {"class", "alt", "src"} or attrs["class"] != "allos-img":
            self.faults.append(f"attributes of an image: {sorted(attrs)}")
        elif source is None or not _MAGIC[source[1]].match(b64decode(source[2])):
            self.faults.append(f"source of an image: {(attrs['src'] or '')[:80]}")
        elif not re.fullmatch(r"image/[a-z]+, [0-9.]+ [a-zA-Z]+", attrs["alt"] or ""):
            self.faults.append(f"description of an image: {attrs['alt']}")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name == "class" and tag not in _MATHS:
            words = set(value.split()) - self.classes
            bad = [word for word in sorted(words) if not _CLASS.fullmatch(word)]
            self.faults.extend(f"class {word}" for word in bad)
        elif tag in _MATHS:
            if name not in _SIZES or not _SIZE.fullmatch(value):
                self.faults.append(f"attribute {name}={value} of {tag}")
        elif name == "style" and tag in _STYLES:
            bad = sorted(set(value.split(";")) - _STYLES[tag])
            self.faults.extend(f"style {declaration}" for declaration in bad)
        elif name in {"align", "valign"} and tag in {"td", "th"}:
            if value not in {"left", "right", "center", "top"}:
                self.faults.append(f"{name} {value}")
        elif name == "dir" and tag in _TURNED:
            if value != "rtl":
                self.faults.append(f"dir {value}")
        elif name == "id" and tag == "div":
            if not _ANCHOR.fullmatch(value):
                self.faults.append(f"id {value}")
        elif name not in _ATTRIBUTES.get(tag, set()):
            self.faults.append(f"attribute {name} of {tag}")
        elif name == "hidden" and value != "hidden":
            self.faults.append(f"hidden {value}")
        elif name == "start" and not re.fullmatch(r"[0-9]{1,9}", value):
            self.faults.append(f"start {value}")
        elif name == "title" and (hidden := _HIDDEN.search(value)):
            self.faults.append(f"character U+{ord(hidden[0]):04X} in a title")
        elif name == "target" and value != "_blank":
            self.faults.append(f"target {value}")
        elif name == "rel" and value != "noopener noreferrer":
            self.faults.append(f"rel {value}")
        elif name == "href" and not self._is_safe(value):
            self.faults.append(f"href {value}")

    @staticmethod
    def _is_safe(url: str) -> bool:
        if not re.fullmatch(r"[!-~]+", url):
            return False
        parts = urlsplit(url)
        if parts.scheme == "mailto":
            return "@" in parts.path
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        )

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"unbalanced {tag}")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            if data not in self.styles:
                self.faults.append("a foreign style sheet")
            return
        self.text.append(data)
        if hidden := _HIDDEN.search(data):
            self.faults.append(f"character U+{ord(hidden[0]):04X}")

    def handle_comment(self, data: str) -> None:
        self.faults.append("a comment")

    def handle_decl(self, decl: str) -> None:
        self.faults.append("a declaration")

    def handle_pi(self, data: str) -> None:
        self.faults.append("a processing instruction")


def judge(
    html: str,
    *,
    styles: frozenset[str] = frozenset(),
    classes: frozenset[str] = frozenset(),
    images: bool = False,
) -> tuple[list[str], str]:
    """Everything in the HTML that must not be there, and the text that a reader sees.

    `styles` are the texts of the style sheets that are allowed, ours; `classes` further classes of
    ours, word by word; `images` allows images whose bytes stand in the HTML, of formats that cannot act.
    """
    parser = _Judge(styles, classes, images=images)
    parser.feed(html)
    parser.close()
    left = [f"unclosed {tag}" for tag in parser.open]
    return parser.faults + left, "".join(parser.text)
