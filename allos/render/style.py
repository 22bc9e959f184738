"""The one style sheet of an answer: quiet, and right in light and dark.

Colours come from JupyterLab's theme where it exists; elsewhere (nbviewer, VS Code, an exported
page) they are mixed from the colour of the surrounding text. Where ``<style>`` is stripped, the
elements alone read well: headings, lists, ``<details>``, ``<small>``.

An answer carries the rules of what it holds, see `sheet_of`: a notebook of a thousand short answers
is half the size, and so is each message to the browser.
"""

from __future__ import annotations

from string import Template

from allos.render.tokens import SIZES, column_colours, declare

# Three times its own class: JupyterLab's rules for rendered HTML weigh up to two classes and two
# elements. Rules are nested, colours are variables: the sheet stands in every answer of a notebook.
_OUT = ".allos-out.allos-out.allos-out"
_MD = ".allos-md.allos-md.allos-md"
_CMP = ".allos-cmp.allos-cmp.allos-cmp"

_COLOURS = declare("strong", "line", "fill", "red", "amber", "mono")

# `contain` must not size the box: `content` leaves <details> free to open.
_BOX = (
    declare("quiet")
    + """
overflow:hidden;contain:content;line-height:var(--jp-content-line-height,1.6);
& .allos-text{margin:0;padding:0;background:none;border:0;color:inherit;font:inherit;\
line-height:inherit;white-space:pre-wrap;overflow-wrap:anywhere;word-break:normal}
& .allos-md+.allos-text{margin-top:10px}
& .allos-state{display:block;font-size:$small;color:var(--allos-quiet)}
"""
)

_FOOT = """
& .allos-note{color:var(--allos-quiet);margin:0 0 8px}
& .allos-foot{display:flex;flex-wrap:wrap;gap:2px 14px;margin-top:8px;font-size:$small;\
font-variant-numeric:tabular-nums}
& .allos-foot span{color:var(--allos-quiet)}
& .allos-foot b{font-weight:600;color:var(--allos-strong)}
& .allos-sep{display:none}
"""

_THINK = """
& .allos-think{margin:0 0 8px;padding-left:10px;border-left:2px solid var(--allos-line);\
font-size:$code;\
color:var(--allos-quiet)}
& .allos-think summary{cursor:pointer}
& .allos-think .allos-text{margin:4px 0 2px}
"""

_TOOLS = """
& .allos-tool{margin:8px 0;padding-left:10px;border-left:2px solid var(--allos-line)}
& .allos-tool span,& .allos-tool code{color:var(--allos-quiet)}
& .allos-tool b,& .allos-tool code{padding:0;background:none;font:$code var(--allos-mono);\
white-space:pre-wrap;overflow-wrap:anywhere}
& .allos-tool b{font-weight:600;color:var(--allos-strong)}
& .allos-tool .allos-fail{color:var(--allos-red)}
&>style+.allos-tool{margin-top:0}
"""

_MORE = """
& .allos-more summary{cursor:pointer;color:var(--allos-quiet)}
& .allos-more small{font-size:$small;color:var(--allos-quiet)}
& .allos-more .allos-text{margin:4px 0;max-height:24em;overflow:auto;\
font:$code/1.5 var(--allos-mono);color:var(--allos-quiet)}
"""

_ERROR = """
& .allos-err,& .allos-refusal{margin:8px 0;padding:4px 12px;border-left:3px solid var(--allos-red);\
border-radius:0 $box $box 0;background:color-mix(in srgb,var(--allos-red) 6%,transparent);\
white-space:pre-wrap;overflow-wrap:anywhere}
& .allos-err code{padding:0;background:none;font:$code var(--allos-mono);white-space:pre-wrap;\
overflow-wrap:anywhere;color:inherit}
& .allos-refusal{border-color:var(--allos-amber);\
background:color-mix(in srgb,var(--allos-amber) 7%,transparent)}
&>style+.allos-err,&>style+.allos-refusal{margin-top:0}
"""

_IMAGE = """
& .allos-img{display:block;max-width:100%;max-height:var(--allos-image,36em);margin:8px 0;border-radius:$box}
&>style+.allos-img{margin-top:0}
"""

_MARKDOWN = (
    declare("quiet")
    + """
overflow-wrap:break-word;
& p,& ul,& ol,& blockquote,& .allos-wide{margin:0 0 10px}
& li>p,& li>ul,& li>ol{margin:0 0 4px}
& ul,& ol{padding-left:1.7em}
& .allos-where{color:var(--allos-quiet)}
&>:first-child{margin-top:0}&>:last-child,& blockquote>:last-child{margin-bottom:0}
"""
)

_HEADING = """
& h1,& h2,& h3,& h4,& h5,& h6{margin:18px 0 6px;line-height:1.3;font-weight:600;\
font-size:1em}
& h1{font-size:1.35em}& h2{font-size:1.2em}& h3{font-size:1.08em}
"""

_RULE = """
& hr{height:0;color:inherit;border:0;border-top:1px solid var(--allos-line);background:none;\
margin:14px 0}
"""

_QUOTE = """
& blockquote{padding:0 0 0 10px;border-left:2px solid var(--allos-line);color:var(--allos-quiet)}
"""

_CODE = """
& code{padding:1px 4px;border-radius:$badge;background:var(--allos-fill);color:inherit;\
font:.9em/1.4 var(--allos-mono);white-space:pre-wrap}
"""

_PRE = """
& pre{margin:10px 0;padding:10px 12px;border:0;border-radius:$box;background:var(--allos-fill);\
color:inherit;\
font:$code/1.5 var(--allos-mono);overflow:auto;white-space:pre;word-break:normal}
& pre code{padding:0;border-radius:0;background:none;font:inherit;white-space:inherit}
& pre.allos-whole{white-space:pre-wrap;overflow-wrap:anywhere}
"""

# Where code or a table goes on sideways its edge fades; the other one too once it was scrolled. A
# browser without scroll timelines knows no duration `auto` either, and shows its scroll bar alone.
# Each timeline costs a little at every frame of the page, so that not all of thousands have one.
_EDGE = """
&>:is(pre,.allos-wide):nth-child(-n+50),&>:nth-child(-n+50)>:is(pre,.allos-wide):nth-child(-n+10),\
&>:nth-child(-n+50)>:nth-child(-n+10)>:is(pre,.allos-wide){animation:allos-edge auto linear both;\
animation-timeline:scroll(self inline)}
"""
_EDGE_FRAMES = """
@keyframes allos-edge{\
0%{mask:linear-gradient(90deg,#000 calc(100% - 28px),#0000)}\
1%,99%{mask:linear-gradient(90deg,#0000,#000 28px calc(100% - 28px),#0000)}\
100%{mask:linear-gradient(90deg,#0000,#000 28px)}}
"""

_WIDE = """
& .allos-wide{overflow-x:auto}
"""

# The important rule outweighs the inline style for pages without the sheet.
_TABLE = """
& table{margin:0;border-collapse:collapse;font-size:inherit;color:inherit;\
font-variant-numeric:tabular-nums}
& tr,& tbody tr{background:none}
& thead{border:0}
& th,& td{padding:4px 18px 4px 0;border:0;border-bottom:1px solid var(--allos-line);\
line-height:1.5;\
text-align:left;vertical-align:baseline!important;max-width:40em;white-space:nowrap}
& .allos-long{min-width:clamp(10em,16vw,12em)!important;white-space:normal}
& th{font-weight:600}
& .allos-right{text-align:right}& .allos-mid{text-align:center}
"""

# Both stand there hidden, see `maths`: without this sheet the source is what is seen. The important
# rules outweigh any page's rule for hidden elements. The fonts are for browsers whose `math` is a font
# without the sizes of formulas, as Chromium's is on many Linux machines: exponents would stand too high.
_MATHS = """
& .allos-tex{display:none}
& .allos-math,& .allos-math>rp{display:inline!important}
& math{font:1.12em "STIX Two Math","DejaVu Math TeX Gyre",math}
& math[display=block]{margin:2px 0}
& mtd[columnalign=left]{text-align:left}& mtd[columnalign=right]{text-align:right;padding-right:0}
& mtd[columnalign=right]+mtd{padding-left:0}
& mtd[columnalign=left]+mtd[columnalign=left]{padding-left:1em}
& mpadded:not([width]){border:1px solid;padding:3px 5px}
"""

_LINK = """
& a{color:var(--jp-content-link-color,#1a6fc9);text-decoration:none}
& a:hover{text-decoration:underline}
"""

RIGHT_TO_LEFT = ' dir="rtl"'
"""What a block that runs from right to left has in its HTML."""

# What stands at the left stands at the right there.
_TURNED = """
& [dir]{text-align:start}
& ul[dir],& ol[dir],& [dir] ul,& [dir] ol{padding:0 1.7em 0 0}
& blockquote[dir]{padding:0 10px 0 0;border-left:0;border-right:2px solid var(--allos-line)}
& table[dir]{margin-left:auto}
& [dir] th,& [dir] td{padding:4px 0 4px 18px}
"""

# A fixed layout gives equal columns that fill the page, and scrolls where they cannot.
_COMPARISON = """
border:1px solid var(--allos-line);border-radius:$card;font-size:$text;line-height:1.5;--allos-image:20em;
& .allos-ask{padding:9px 14px;display:flex;flex-wrap:wrap;gap:4px 10px;align-items:baseline}
& .allos-ask>span{flex:1 1 auto;max-width:100%;white-space:pre-wrap;overflow-wrap:anywhere}
& .allos-ask>br,& .allos-head>br{display:none}
& .allos-ask+.allos-ask{padding-top:0}
& .allos-label{font-size:$label;letter-spacing:.06em;text-transform:uppercase;\
color:var(--allos-quiet)}
& .allos-chip{font-size:$chip;padding:1px 8px;border-radius:$card;color:var(--allos-quiet);\
background:var(--allos-fill);overflow-wrap:anywhere}
& .allos-scroll{overflow-x:auto}
& .allos-grid{width:100%;margin:0;border:0;border-collapse:separate;border-spacing:0;\
table-layout:fixed;font-size:inherit;color:inherit}
& .allos-grid>*,& .allos-grid>*>tr{border:0;background:none}
& .allos-grid>*>tr>*{width:230px;box-sizing:border-box;padding:4px 14px 8px;border:0;\
border-left:1px solid var(--allos-line);text-align:left;vertical-align:top;line-height:inherit;\
font-weight:400;white-space:normal;overflow-wrap:anywhere;background:none}
& .allos-grid>*>tr>:first-child{border-left:0}
& .allos-grid>*>tr>.allos-row{width:150px;font-weight:600;overflow-wrap:anywhere}
& .allos-grid>thead>tr>.allos-row{border-top-color:transparent}
& .allos-grid>tbody>.allos-each>*{padding-top:8px;border-top:1px solid var(--allos-line)}
& .allos-grid>thead>tr>th{border-top:3px solid var(--allos-slot);padding:10px 14px 4px}
& .allos-head{display:grid;grid-template-columns:auto 1fr;gap:0 8px;align-items:start;\
line-height:1.3}
& .allos-head>*{grid-column:2;min-width:0;font-weight:600}
& .allos-head>small{display:flex;flex-wrap:wrap;gap:0 10px;margin-top:1px;font-size:$small;\
font-weight:400;color:var(--allos-quiet)}
& .allos-head>.allos-key{grid-column:1;grid-row:1;min-width:18px;padding:0 3px;\
box-sizing:border-box;border-radius:$badge;text-align:center;font:600 $label/18px var(--allos-mono);\
color:color-mix(in srgb,var(--allos-slot) 80%,currentColor);\
background:color-mix(in srgb,var(--allos-slot) 14%,transparent)}
& .allos-answer+.allos-answer{margin-top:8px;padding-top:6px;\
border-top:1px dashed var(--allos-line)}
& .allos-tint{padding-left:8px;border-left:3px solid var(--allos-slot)}
& .allos-grey{--allos-slot:var(--allos-quiet)}
& .allos-answer>.allos-out>:first-child{margin-top:0}
& .allos-repeat small,& .allos-state{font-size:$small;color:var(--allos-quiet)}
& .allos-numbers>td{padding:0 14px 10px}
& .allos-numbers small{display:flex;flex-wrap:wrap;gap:2px 12px;padding-top:6px;font-size:$small;\
border-top:1px dashed var(--allos-line);font-variant-numeric:tabular-nums}
& .allos-numbers span,& .allos-sum>span>span{color:var(--allos-quiet)}
& .allos-numbers b{font-weight:600;color:var(--allos-strong)}
& .allos-sum{display:flex;flex-wrap:wrap;gap:2px 16px;padding:8px 14px;font-size:$small;\
border-top:1px solid var(--allos-line);background:var(--allos-fill);\
font-variant-numeric:tabular-nums}
& .allos-sum b{font-weight:600}
& .allos-sum>.allos-log{margin-left:auto}
& .allos-sum code{padding:0;background:none;font:inherit;font-family:var(--allos-mono);color:inherit}
& .allos-sent>.allos-img{display:inline-block;max-height:8em;margin:0 8px 0 0}
& .allos-rest>summary{cursor:pointer;font-size:$small;color:var(--jp-content-link-color,#1a6fc9)}
& .allos-rest>.allos-md{margin-top:8px}
""" + column_colours("& .allos-c", "& .allos-shade")

# token class of `highlight` -> variable of JupyterLab's editor, and a colour that is legible on
# white and on near-black alike (contrast about 4.5 with both)
_TOKENS = {
    "k": ("keyword", "#8a63d2"),
    "s": ("string", "#b5582a"),
    "c": ("comment", "#777777"),
    "m": ("number", "#2b8a3e"),
    "f": ("def", "#2f7bd0"),
    "b": ("builtin", "#2b8a3e"),
    "d": ("meta", "#8a63d2"),
    "t": ("tag", "#2b8a3e"),
    "a": ("attribute", "#2f7bd0"),
}
_PROBLEM = "& .allos-x{color:var(--allos-red)}"
_TOKEN = _PROBLEM + "".join(
    f"& .allos-{name}{{color:var(--jp-mirror-editor-{variable}-color,{colour})}}"
    for name, (variable, colour) in _TOKENS.items()
)


# What a part of the sheet is for: HTML that holds one of these texts needs its rules. No rule holds
# one itself. A text that a model wrote is escaped: at worst it brings a rule that nothing uses.
_OUT_PARTS = (
    (('"allos-think"',), _THINK),
    (('"allos-tool"',), _TOOLS),
    (('"allos-more"',), _MORE),
    (('"allos-img"',), _IMAGE),
    (('"allos-err"', '"allos-refusal"'), _ERROR),
)
# Code with the inline style of `static_styles`.
_STYLED_CODE = 'text-align:left"><code'
_MD_PARTS = (
    (("<h1", "<h2", "<h3", "<h4", "<h5", "<h6"), _HEADING),
    (("<hr",), _RULE),
    (("<blockquote",), _QUOTE),
    (("<code",), _CODE),
    (("<pre><code", _STYLED_CODE, '"allos-whole"'), _PRE + _TOKEN),
    (('"allos-wide"',), _WIDE),
    (("<table",), _TABLE),
    (("<pre><code", _STYLED_CODE, '"allos-wide"'), _EDGE),
    (('"allos-math"',), _MATHS),
    (("<a ",), _LINK),
    (('"allos-x"',), _PROBLEM),
)


def _sheet(*blocks: tuple[str, str]) -> str:
    sheet = "".join(f"{selector}{{{rules}}}" for selector, rules in blocks).replace("\n", "")
    return Template(sheet).substitute(SIZES)


def _parts_of(html: str | None, parts: tuple[tuple[tuple[str, ...], str], ...]) -> str:
    return "".join(
        rules for marks, rules in parts if html is None or any(mark in html for mark in marks)
    )


def sheet_of(html: str | None) -> str:
    """Text of the style sheet that HTML of ours needs; None for all of it.

    Parameters
    ----------
    html : str or None
        What `render` has made, with or without its style sheet.

    Examples
    --------
    >>> "blockquote>" in sheet_of('<div class="allos-md"><p>Hi</p></div>'), "tr," in sheet_of("")
    (True, False)
    """
    blocks = [(_OUT, _BOX + _COLOURS + _FOOT + _parts_of(html, _OUT_PARTS))]
    markdown = _parts_of(html, _MD_PARTS)
    if html is None or '"allos-md' in html:
        blocks.append((_MD, _MARKDOWN + markdown))
    if html is not None and RIGHT_TO_LEFT in html:
        blocks.append((_MD, _TURNED))
    return _sheet(*blocks) + (_EDGE_FRAMES.replace("\n", "") if _EDGE in markdown else "")


CSS = sheet_of(None)
"""Text of the style sheet: everything that `render` makes, from left to right."""

DIRECTION_CSS = _sheet((_MD, _TURNED))
"""What blocks that run from right to left need beside `CSS`."""

# JupyterLab writes "Loading widget..." where the live board will be, and "Error displaying widget:
# model not found" once the notebook is opened again: text alone, in a panel without any element.
_GONE = (
    ".jp-OutputArea-child:has(.allos-cmp)+"
    ".jp-OutputArea-child:has(>.jp-OutputArea-output.lm-Panel)"
    ":not(:has(>.jp-OutputArea-output>*))",
    "display:none",
)

COMPARISON_CSS = _sheet((_CMP, _COMPARISON), _GONE)
"""What the static table of a comparison needs beside `CSS`."""

STYLE = f"<style>{CSS}</style>"
"""`CSS` as an element, to stand inside an output."""

LIVE_STYLE = f"<style>{_sheet((_OUT, _BOX))}</style>"
"""The few rules that a streaming answer needs; it is sent again with every repaint."""
