"""The one style sheet of an answer: quiet, and right in light and dark.

Colours come from JupyterLab's theme where it exists; elsewhere (nbviewer, VS Code, an exported
page) they are mixed from the colour of the surrounding text. Where ``<style>`` is stripped, the
elements alone read well: headings, lists, ``<details>``, ``<small>``.
"""

from __future__ import annotations

# Three times its own class: JupyterLab's rules for rendered HTML weigh up to two classes and two
# elements. Rules are nested, colours are variables: the sheet stands in every answer of a notebook.
_OUT = ".allos-out.allos-out.allos-out"
_MD = ".allos-md.allos-md.allos-md"

_COLOURS = """
--allos-strong:color-mix(in srgb,currentColor 78%,transparent);
--allos-line:color-mix(in srgb,currentColor 14%,transparent);
--allos-fill:color-mix(in srgb,currentColor 5.5%,transparent);
--allos-red:var(--jp-error-color1,#c62828);
--allos-amber:var(--jp-warn-color1,#c77700);
--allos-mono:var(--jp-code-font-family,ui-monospace,monospace);
"""

# `contain` must not size the box: `content` leaves <details> free to open.
_BOX = """
--allos-quiet:color-mix(in srgb,currentColor 62%,transparent);
overflow:hidden;contain:content;line-height:var(--jp-content-line-height,1.6);
& .allos-text{margin:0;padding:0;background:none;border:0;color:inherit;font:inherit;\
line-height:inherit;white-space:pre-wrap;overflow-wrap:anywhere;word-break:normal}
& .allos-state{display:block;font-size:12px;color:var(--allos-quiet)}
"""

_ANSWER = """
& .allos-think{margin:0 0 8px;padding-left:10px;border-left:2px solid var(--allos-line);\
font-size:12.5px;\
color:var(--allos-quiet)}
& .allos-think summary{cursor:pointer}
& .allos-think .allos-text{margin:4px 0 2px}
& .allos-tool{margin:8px 0;padding-left:10px;border-left:2px solid var(--allos-line)}
& .allos-tool span,& .allos-tool code{color:var(--allos-quiet)}
& .allos-tool b,& .allos-tool code,& .allos-err code{padding:0;background:none;\
font:12.5px var(--allos-mono);\
white-space:pre-wrap;overflow-wrap:anywhere}
& .allos-err code{color:inherit}
& .allos-tool b{font-weight:600;color:var(--allos-strong)}
& .allos-note{color:var(--allos-quiet);margin:0 0 8px}
& .allos-err,& .allos-refusal{margin:8px 0;padding:4px 12px;border-left:3px solid var(--allos-red);\
border-radius:0 6px 6px 0;background:color-mix(in srgb,var(--allos-red) 6%,transparent);\
white-space:pre-wrap;overflow-wrap:anywhere}
& .allos-refusal{border-color:var(--allos-amber);\
background:color-mix(in srgb,var(--allos-amber) 7%,transparent)}
&>style+.allos-err,&>style+.allos-refusal,&>style+.allos-tool{margin-top:0}
& .allos-foot{display:flex;flex-wrap:wrap;gap:2px 14px;margin-top:8px;font-size:12px;\
font-variant-numeric:tabular-nums}
& .allos-foot span{color:var(--allos-quiet)}
& .allos-foot b{font-weight:600;color:var(--allos-strong)}
& .allos-sep{display:none}
"""

_MARKDOWN = """
--allos-quiet:color-mix(in srgb,currentColor 62%,transparent);
overflow-wrap:break-word;
& p,& ul,& ol,& blockquote,& .allos-wide{margin:0 0 10px}
& li>p,& li>ul,& li>ol{margin:0 0 4px}
& ul,& ol{padding-left:1.7em}
& h1,& h2,& h3,& h4,& h5,& h6{margin:18px 0 6px;line-height:1.3;font-weight:600;\
font-size:1em}
& h1{font-size:1.35em}& h2{font-size:1.2em}& h3{font-size:1.08em}
& blockquote{padding:0 0 0 10px;border-left:2px solid var(--allos-line);color:var(--allos-quiet)}
& hr{height:0;color:inherit;border:0;border-top:1px solid var(--allos-line);background:none;\
margin:14px 0}
& code{padding:1px 4px;border-radius:4px;background:var(--allos-fill);color:inherit;\
font:.9em/1.4 var(--allos-mono);white-space:pre-wrap}
& pre{margin:10px 0;padding:10px 12px;border:0;border-radius:6px;background:var(--allos-fill);\
color:inherit;\
font:12.5px/1.5 var(--allos-mono);overflow:auto;white-space:pre;word-break:normal}
& pre code{padding:0;border-radius:0;background:none;font:inherit;white-space:inherit}
& pre.allos-whole{white-space:pre-wrap;overflow-wrap:anywhere}
& .allos-wide{overflow-x:auto}
& table{margin:0;border-collapse:collapse;font-size:inherit;color:inherit;\
font-variant-numeric:tabular-nums}
& tr,& tbody tr{background:none}
& thead{border:0}
& th,& td{padding:4px 18px 4px 0;border:0;border-bottom:1px solid var(--allos-line);\
line-height:1.5;\
text-align:left;vertical-align:top;max-width:40em}
& th{font-weight:600}
& .allos-right{text-align:right}& .allos-mid{text-align:center}
& a{color:var(--jp-content-link-color,#1a6fc9);text-decoration:none}
& a:hover{text-decoration:underline}
& .allos-where{color:var(--allos-quiet)}
&>:first-child{margin-top:0}&>:last-child,& blockquote>:last-child{margin-bottom:0}
"""

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
_CODE = "& .allos-x{color:var(--allos-red)}" + "".join(
    f"& .allos-{name}{{color:var(--jp-mirror-editor-{variable}-color,{colour})}}"
    for name, (variable, colour) in _TOKENS.items()
)


def _sheet(*blocks: tuple[str, str]) -> str:
    return "".join(f"{selector}{{{rules}}}" for selector, rules in blocks).replace("\n", "")


CSS = _sheet((_OUT, _BOX + _COLOURS + _ANSWER), (_MD, _COLOURS + _MARKDOWN + _CODE))
"""Text of the style sheet: everything that `render` makes."""

STYLE = f"<style>{CSS}</style>"
"""`CSS` as an element, to stand inside an output."""

LIVE_STYLE = f"<style>{_sheet((_OUT, _BOX))}</style>"
"""The few rules that a streaming answer needs; it is sent again with every repaint."""
