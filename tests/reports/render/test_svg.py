"""Charts on the page: of our marks alone, whatever names stand in them."""

import pytest

from assay.errors import AssayError
from assay.reports.page.training_plots import Curve, Gap, Point, plot_curves, plot_gaps, plot_seeds
from assay.reports.render.svg import check_svg, draw_svg
from assay.terminal.text import show_line
from tests.support.html_reader import check_harmless, read
from tests.support.report_folders import HOSTILE

SVG = '<svg xmlns="http://www.w3.org/2000/svg">{}</svg>'


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>", "<foreignObject/>", '<g onclick="1"/>', '<g style="fill:red"/>',
        '<image href="https://x"/>',
        '<a xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="x"/>',
        '<rect fill="url(https://x)"/>', "<!-- x -->", "<unclosed>", "<style>*{}</style>",
        '<p xmlns="http://www.w3.org/1999/xhtml">x</p>', "<![CDATA[<script>]]>",
    ],
)  # fmt: skip
def test_chart_with_anything_but_our_marks_is_refused(inside: str) -> None:
    with pytest.raises(AssayError):
        check_svg(SVG.format(inside))


def test_chart_of_our_marks_passes_unchanged() -> None:
    text = SVG.format('<g fill="url(#a)"><text x="1">&lt;b&gt;</text></g>')

    assert str(check_svg(text)) == text


def test_hostile_names_of_arms_in_charts_are_never_markup() -> None:
    names = [show_line(nasty) for nasty in HOSTILE]
    curves = [
        Curve(name, (Point(1, 2.0, 1.0, 3.0, 2), Point(2, 2.0, 1.0, 3.0, 2))) for name in names
    ]
    gaps = [Gap(name, 0.1, 0.0, 0.2, 0.1) for name in names]

    for draw in (
        plot_curves(curves, "loss"),
        plot_gaps(gaps, 0.01),
        plot_seeds(names, [[1.0]] * 11),
    ):
        drawn = str(draw_svg(draw(760), "c1"))
        check_harmless(drawn)
        assert "<script>" in read(drawn).text
