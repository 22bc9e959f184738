"""Pictures of a chart: SVG, and PNG on white for what shows no SVG.

The SVG has greys for light and dark pages alike, or classes for a page that gives its own colours. vl-convert draws them in this process; nothing is fetched. Every element and attribute of the SVG that is not
in a short list is left out, so that a page can take it as it is.
"""

from __future__ import annotations

import base64
import json
import math
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from allos.charts import theme
from allos.charts.lazy_altair import alt
from allos.charts.small_png import with_palette
from allos.charts.words import drawable

_SCALE = 2.0
_PADDING = 7
"""Pixels around the PNG, beside the few that Vega leaves."""
_MOST_PIXELS = 1_200_000
_SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = frozenset(
    {"svg", "g", "path", "rect", "text", "tspan", "line", "defs", "clipPath", "linearGradient"}
    | {"stop"}
)
_ATTRIBUTES = frozenset(
    {"d", "x", "y", "dy", "x1", "x2", "y1", "y2", "width", "height", "viewBox", "transform", "id"}
    | {"fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray"}
    | {"stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "opacity", "text-anchor"}
    | {"font-size", "font-weight", "offset", "stop-color", "stop-opacity", "clip-path"}
)
_INKS = {theme.INK: "ink", theme.QUIET: "quiet", theme.LINE: "line"}
_ON_WHITE = {theme.INK: "#33383e", theme.QUIET: "#626a72", theme.LINE: "#8a9199"}
_MARK = "mark "


def bundle(spec: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """MIME bundle of the static pictures, and its metadata.

    Parameters
    ----------
    spec : dict
        Vega-Lite.
    """
    root = _cleaned(spec, {})
    root.set("font-family", theme.FONT)
    data = {
        "image/svg+xml": _text(root),
        "image/png": base64.b64encode(png(spec)).decode(),
        "text/plain": alternative_text(spec),
    }
    # The PNG has more pixels, for sharp screens.
    size = {name: round(float(root.get(name, "0"))) + 2 * _PADDING for name in ("width", "height")}
    return data, {"image/png": size}


def alternative_text(spec: dict[str, Any]) -> str:
    """What the chart shows, in one line of text."""
    heading = spec.get("title") or {}
    lines = heading.get("subtitle") or ()
    parts = (heading.get("text"), *([lines] if isinstance(lines, str) else lines))
    return drawable("Chart: " + " · ".join(part for part in parts if part))


def png(spec: dict[str, Any]) -> bytes:
    """Picture on white."""
    import vl_convert

    root = ElementTree.fromstring(_svg(spec))
    size = {name: float(root.get(name, "1")) + 2 * _PADDING for name in ("width", "height")}
    box = {name: f"{pixels:g}" for name, pixels in size.items()}
    place = {"x": str(-_PADDING), "y": str(-_PADDING)}
    root.insert(0, ElementTree.Element(f"{_SVG}rect", {**place, **box, "fill": "white"}))
    root.attrib.update(box, viewBox=" ".join([*place.values(), *box.values()]))
    svg = _text(root)
    for grey, on_white in _ON_WHITE.items():
        svg = svg.replace(f'="{grey}"', f'="{on_white}"')
    scale = max(1.0, min(_SCALE, math.sqrt(_MOST_PIXELS / math.prod(size.values()))))
    return with_palette(vl_convert.svg_to_png(svg, scale=scale))


def page_svg(spec: dict[str, Any]) -> str:
    """SVG to put into a page, with classes for its colours and ``data-mark`` at each mark."""
    root = _cleaned(spec, _abouts(spec))
    for element in root.iter():
        for name in ("fill", "stroke"):
            ink = _INKS.get(element.get(name, "").lower())
            if ink:
                del element.attrib[name]
                element.set("class", f"{element.get('class', '')} allos-{ink}-{name}".strip())
    return _text(root)


def _cleaned(spec: dict[str, Any], abouts: dict[str, str]) -> ElementTree.Element:
    root = ElementTree.fromstring(_svg(spec))
    _clean(root, abouts)
    return root


def _text(root: ElementTree.Element) -> str:
    ElementTree.register_namespace("", _SVG[1:-1])
    return ElementTree.tostring(root, encoding="unicode")


def _svg(spec: dict[str, Any]) -> str:
    """SVG as Vega draws it; marks are described by their number."""
    return _drawn(json.dumps(_drawable(_numbered(spec))))


# What a notebook shows of one chart, two static pictures and one for the page, is drawn once.
@lru_cache(maxsize=2)
def _drawn(spec: str) -> str:
    import vl_convert

    version = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    made: str = vl_convert.vegalite_to_svg(spec, vl_version=version)
    return made


def _drawable(value: Any) -> Any:
    """Spec whose texts can be drawn; a user may have added a title of their own."""
    if isinstance(value, str):
        return drawable(value)
    if isinstance(value, list):
        return [_drawable(each) for each in value]
    if isinstance(value, dict):
        return {drawable(str(name)): _drawable(part) for name, part in value.items()}
    return value


def _numbered(value: Any) -> Any:
    """Spec whose marks are described by their number instead of their text."""
    if isinstance(value, list):
        return [_numbered(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: {"field": "number", "type": "nominal"}
        if name == "description" and isinstance(part, dict)
        else part
        if name in ("datasets", "data")
        else _numbered(part)
        for name, part in value.items()
    } | ({} if "datasets" not in value else {"datasets": _with_numbers(value["datasets"])})


def _with_numbers(datasets: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [record | {"number": f"{_MARK}{record.get('mark', -1)}"} for record in records]
        for name, records in datasets.items()
    }


def _abouts(spec: dict[str, Any]) -> dict[str, str]:
    return {
        f"{_MARK}{record['mark']}": record["about"]
        for records in spec.get("datasets", {}).values()
        for record in records
        if "mark" in record
    }


def _clean(element: ElementTree.Element, abouts: dict[str, str]) -> None:
    described = element.get("aria-label", "")
    kept = {
        name: value
        for name, value in element.attrib.items()
        if name in _ATTRIBUTES and ("url(" not in value or value.startswith("url(#"))
    }
    element.attrib.clear()
    element.attrib.update(kept)
    if described in abouts:
        element.set("data-mark", described.removeprefix(_MARK))
        element.set("aria-label", abouts[described])
    for child in list(element):
        if child.tag.removeprefix(_SVG) in _ELEMENTS:
            _clean(child, abouts)
        else:
            element.remove(child)
