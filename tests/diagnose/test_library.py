"""`diagnose_log` and `open_diagnosis` as programs and notebooks call them."""

import os
from pathlib import Path

import pytest

import assay
from assay.errors import UsageError
from tests.support.origin import CONFIG, make_log


@pytest.fixture
def log(here: Path) -> Path:
    (here / "my config.py").write_text(CONFIG)
    path = here / "train.log"
    path.write_text(make_log())
    return path


class Somewhere(os.PathLike[str]):
    """A path that is neither text nor a `Path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


def test_paths_may_be_text_or_anything_with_a_path(log: Path) -> None:
    config = log.parent / "my config.py"

    found = [
        assay.diagnose_log(str(log), config="'my config.py'"),
        assay.diagnose_log(log, config=config),
        assay.diagnose_log(Somewhere(log), config=Somewhere(config)),
    ]

    for each in found:
        assert each.result.run == found[0].result.run
        assert each.result.conclusions == found[0].result.conclusions
    assert assay.read_plan(config).steps == assay.read_plan("'my config.py'").steps == 20_000


def test_a_diagnosis_is_one_line_and_a_table(log: Path) -> None:
    diagnosis = assay.diagnose_log(log, config=log.parent / "my config.py")

    line = "Diagnosis: likely: schedule not finished; 12 causes weighed, "
    assert repr(diagnosis) == str(diagnosis) == f"{line}nanogpt log until step 14,500"
    html = diagnosis._repr_html_()
    assert html.startswith("<p>Diagnosis: likely: schedule not finished;")
    assert "<tr><th>overfitting</th><td>refuted (-" in html


def test_what_is_kept_is_opened_as_it_was(log: Path) -> None:
    made = assay.diagnose_log(log, output="why")

    opened = assay.open_diagnosis("why")

    assert made.folder == opened.folder == Path("why")
    assert (opened.result, opened.text) == (made.result, made.text)
    assert opened.text.startswith(str(log)[:60])  # a longer path is cut to the terminal's width
    with pytest.raises(UsageError, match="no folder at nowhere"):
        assay.open_diagnosis("nowhere")


def test_errors_name_parameters(log: Path) -> None:
    with pytest.raises(UsageError, match=r"^config and checkpoint exclude each other") as error:
        assay.diagnose_log(log, config=log.parent / "my config.py", checkpoint="x.pt")
    assert error.value.parameters == ("config", "checkpoint")

    with pytest.raises(UsageError, match=r"^audit and unique_tokens exclude each other"):
        assay.diagnose_log(log, audit="a", unique_tokens=3)
