"""Charts as SVG text: drawn without a network, and checked before they enter a page."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import vl_convert
from markupsafe import Markup

from assay.errors import AssayError

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_CLIP = re.compile(r'((?:id="|url\(#))clip(\d+)')
_ELEMENTS = {
    "svg", "g", "path", "text", "tspan", "line", "rect", "circle", "defs", "clipPath",
    "linearGradient", "stop",
}  # fmt: skip
# What vl-convert writes; anything else (style, on..., href) is refused, not stripped.
_ATTRIBUTES = {
    "aria-hidden", "aria-label", "aria-roledescription", "class", "clip-path", "clip-rule", "cx",
    "cy", "d", "display", "dominant-baseline", "fill", "fill-opacity", "font-family", "font-size",
    "font-style", "font-weight", "height", "id", "offset", "opacity", "pointer-events", "r", "role",
    "rx", "ry", "stop-color", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap",
    "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-anchor",
    "transform", "version", "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2",
}  # fmt: skip


def draw_svg(chart: Any, name: str) -> Markup:
    """Draw an altair chart as SVG that is safe inside a page; about 50 ms, the first 0.5 s.

    Args:
        chart: An altair chart.
        name: A word of ours that no other chart of the page has; its ids begin with it.

    Raises:
        AssayError: The drawing holds an element or attribute that is not on our list.
    """
    # Charts are built of checked parts: checking the whole again takes longer than drawing it.
    text: str = vl_convert.vegalite_to_svg(chart.to_dict(validate=False), allowed_base_urls=[])
    return check_svg(name_clips(text, name))


def name_clips(text: str, name: str) -> str:
    """Number the clip paths of a chart from 0: the library counts on for as long as it lives.

    >>> name_clips('<clipPath id="clip7"/><g clip-path="url(#clip7)"/>', "a")
    '<clipPath id="a-clip0"/><g clip-path="url(#a-clip0)"/>'
    """
    found = dict.fromkeys(match[2] for match in _CLIP.finditer(text))
    numbers = {number: index for index, number in enumerate(found)}
    return _CLIP.sub(lambda match: f"{match[1]}{name}-clip{numbers[match[2]]}", text)


def check_svg(text: str) -> Markup:
    """Return SVG text as safe markup where every element and attribute is on our list.

    Text inside stays escaped as it came; nothing is stripped or rewritten.

    Raises:
        AssayError: It is not well-formed, or holds a script, a style, a link, or anything else.
    """
    if "<!" in text or "<?" in text:
        raise AssayError("a chart holds a declaration or comment, which no chart of ours has")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise AssayError(f"a chart is not well-formed SVG: {error}") from error
    for element in root.iter():
        name = element.tag.removeprefix(_NAMESPACE)
        if name not in _ELEMENTS or name == element.tag:
            raise AssayError(f"a chart holds <{name}>, which no chart of ours has")
        for attribute, value in element.attrib.items():
            if attribute not in _ATTRIBUTES or ("url(" in value and "url(#" not in value):
                raise AssayError(
                    f"a chart holds {attribute}={value[:40]!r}, which none of ours has"
                )
    return Markup(text)  # checked above; made by vl-convert, which escapes what it is given
