import json
from pathlib import Path

import pytest

from assay.cli import run
from assay.errors import InputError
from assay.formats.diagnosis import DiagnosisResult, read_diagnosis
from assay.reports.page.page import Chart, Page
from assay.reports.render.html import render_html
from assay.reports.render.svg import draw_svg
from assay.reports.render.text import render_text
from assay.reports.sources.sources import Source
from assay.reports.views.diagnosis import head_diagnosis, view_diagnosis
from assay.storage.manifest import read_manifest
from tests.support.origin import CONFIG, make_log


@pytest.fixture
def kept(here: Path) -> Path:
    """The origin case, diagnosed, its name hostile."""
    Path("train.log").write_text(make_log())
    Path("config.py").write_text(CONFIG.replace("125M-single", "<script>125M-\x1b[2J"))
    arguments = ["--config", "config.py", "--unique-tokens", "0.73B", "-o", "why"]
    assert run(["diagnose", "train.log", *arguments]) == 0
    return Path("why")


def open_kept(folder: Path) -> Source[DiagnosisResult]:
    return Source(folder, read_manifest(folder), "0" * 64, read_diagnosis(folder))


def make_page(folder: Path) -> Page:
    source = open_kept(folder)
    return Page(
        title="t",
        source="",
        made_by="",
        banners=(head_diagnosis(source),),
        sections=(view_diagnosis(source, 0),),
        commands=(),
        raw=False,
        facts={},
    )


def test_a_diagnosis_is_shown_likeliest_first(kept: Path) -> None:
    text = render_text(make_page(kept))

    assert "likely: schedule not finished" in text
    assert text.index("schedule not finished") < text.index("overfitting")
    assert "7,602,176,000 (7.60B)" in text
    assert "learning rate 0.000265 at step 14,500" in text
    assert "-0.052 to -0.014" in text


def test_the_banner_has_the_curve_the_data_and_what_to_do(kept: Path) -> None:
    banner = head_diagnosis(open_kept(kept))

    assert banner.word == "likely: schedule not finished"
    assert banner.sentence.startswith("The loss is not flat")
    assert "The amount of data is not the cause" in banner.sentence
    assert [mark.level for mark in banner.marks] == ["test"] * 4
    assert banner.marks[0].sentence == "validation set too small or unlike train (no training)"


def test_the_curve_is_drawn_with_its_forecast(kept: Path) -> None:
    page = make_page(kept)
    (chart,) = [block for block in page.sections[0].blocks if isinstance(block, Chart)]

    assert "forecast for step 20,000 with its interval" in chart.label
    assert chart.table.rows[-1] == ("20,000", "3.5434", "forecast, 3.5181 to 3.5688")
    assert "steps" in str(draw_svg(chart.draw(760), "c1"))


def test_a_hypothesis_with_nothing_but_gaps_is_shown_too(kept: Path) -> None:
    assert "a log cannot tell: only a comparison" in render_text(make_page(kept))


def test_a_diagnosis_of_an_older_version_is_shown_without_a_curve(kept: Path) -> None:
    found = json.loads((kept / "diagnosis.json").read_text())
    for name in ("curve", "next_steps", "run", "verdict"):
        del found[name]
    (kept / "diagnosis.json").write_text(json.dumps(found))

    text = render_text(make_page(kept))

    assert "likely: schedule not finished" in text
    assert "Loss (val) over steps" not in text


def test_names_are_text_on_the_page(kept: Path) -> None:
    html = render_html(make_page(kept))

    assert "<script>125M" not in html
    assert "&lt;script&gt;125M-\\x1b[2J" in html


def test_a_diagnosis_that_cannot_be_read_is_one_line(kept: Path) -> None:
    (kept / "diagnosis.json").write_text('{"log": 1}')

    with pytest.raises(InputError, match=r"diagnosis\.json cannot be read"):
        read_diagnosis(kept)
