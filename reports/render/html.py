"""A page as one HTML file: no network, no foreign script, a content policy by hashes."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from itertools import count

import jinja2
from markupsafe import Markup

from assay.reports.page.page import Chart, Page
from assay.reports.render.svg import draw_svg

WIDE, NARROW = 760, 340  # pixels; the style sheet shows one of the two


def render_html(page: Page) -> str:
    """Render a page as one HTML document that works offline, in light and dark.

    Everything is escaped by jinja2 but the charts, which are checked SVG of our own, and the
    style and the script, whose hashes the content policy names.
    """
    style, script = _read_asset("report.css"), _read_asset("report.js")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    numbers = count(1)  # of the charts, each drawn in two widths
    environment.globals |= {
        "draw": lambda chart, width: draw_chart(chart, width, next(numbers)),
        "WIDE": WIDE,
        "NARROW": NARROW,
    }
    environment.tests["block"] = lambda block, kind: type(block).__name__ == kind
    return environment.from_string(_read_asset("report.html")).render(
        page=page,
        style=Markup(style),
        script=Markup(script),
        policy=write_policy(style, script),
    )


def draw_chart(chart: Chart, width: int, number: int) -> Markup:
    """Draw a chart in a width; the number, which no other drawing of a page has, names its ids."""
    return draw_svg(chart.draw(width), f"c{number}")


def write_policy(style: str, script: str) -> str:
    """Write the content policy: nothing but this style and this script, by sha256."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _read_asset(name: str) -> str:
    return files("assay.reports").joinpath(f"assets/{name}").read_text(encoding="utf-8")
