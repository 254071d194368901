from pathlib import Path

import pytest

from assay.cli import run
from assay.errors import InputError
from assay.reports.diagnosis import read_diagnosis
from assay.reports.diagnosis_view import judge_diagnosis, view_diagnosis
from assay.reports.html import render_html
from assay.reports.page import Page
from assay.reports.text import render_text
from tests.origin import CONFIG, make_log


@pytest.fixture
def kept(here: Path) -> Path:
    """The origin case, diagnosed, its name hostile."""
    Path("train.log").write_text(make_log())
    Path("config.py").write_text(CONFIG.replace("125M-single", "<script>125M-\x1b[2J"))
    arguments = ["--config", "config.py", "--unique-tokens", "0.73B", "-o", "why"]
    assert run(["diagnose", "train.log", *arguments]) == 0
    return Path("why")


def make_page(folder: Path) -> Page:
    found = read_diagnosis(folder)
    return Page(
        title="t",
        source="",
        made_by="",
        banners=(judge_diagnosis(found, "why"),),
        sections=(view_diagnosis(found, 0, "why"),),
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
    assert "-0.052 to -0.013" in text


def test_names_are_text_on_the_page(kept: Path) -> None:
    html = render_html(make_page(kept))

    assert "<script>125M" not in html
    assert "&lt;script&gt;125M-\\x1b[2J" in html


def test_a_diagnosis_that_cannot_be_read_is_one_line(kept: Path) -> None:
    (kept / "diagnosis.json").write_text('{"log": 1}')

    with pytest.raises(InputError, match=r"diagnosis\.json cannot be read"):
        read_diagnosis(kept)
