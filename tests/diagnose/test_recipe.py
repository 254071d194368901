"""`assay diagnose -o` given again: what is kept is left as it is, and told to be there."""

import shutil
from pathlib import Path

import pytest

from assay.cli import run
from assay.diagnose.run import weigh_log
from tests.assay.storage.test_recipe import digest
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.origin import CONFIG, make_log
from tests.support.small_arms import VAL

DIAGNOSE = ["diagnose", "run.log", "--config", "config.py", "--bins", "bins", "-o", "why"]
HELD = "why already holds this diagnosis; nothing was written again\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "config.py").write_text(CONFIG)
    (folder / "other.py").write_text(CONFIG)
    (folder / "run.log").write_text(make_log())
    make_bins(folder / "bins", draw_documents(0, 60), VAL)
    make_bins(folder / "more", draw_documents(0, 90), VAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(DIAGNOSE) == 0
    return folder


@pytest.fixture
def finished(here: Path, made: Path) -> Path:
    shutil.copytree(made, here, dirs_exist_ok=True)
    return here / "why"


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_kept_diagnosis_is_told_again(
    finished: Path, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    before = digest(finished)
    assert run([*DIAGNOSE[:-1], "fresh", *form]) == 0
    fresh = capsys.readouterr()

    assert run([*DIAGNOSE, *form]) == 0

    again = capsys.readouterr()
    assert (again.out, again.err) == (fresh.out, HELD)
    assert fresh.err == "saved in fresh\n"
    assert digest(finished) == before


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--config", "other.py"], "with other settings (config)"),
        (["--format", "nanogpt"], "with other settings (format)"),
        (["--bins", "more"], "with other settings (unique_tokens), made from other bins"),
        (["--bins", "renamed"], "which says something else: a file that was named has changed"),
    ],
)
def test_other_settings_are_refused_by_name(
    finished: Path, capsys: pytest.CaptureFixture[str], words: list[str], what: str
) -> None:
    shutil.copytree("bins", "renamed")
    before = digest(finished)

    assert run([*DIAGNOSE, *words]) == 2

    assert capsys.readouterr().err == (
        f"assay: why holds a finished run already, {what}; name another --output, or remove it\n"
    )
    assert digest(finished) == before


def test_bins_of_the_same_length_are_others_all_the_same(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("bins")
    make_bins(Path("bins"), draw_documents(5, 60), VAL)

    assert run(DIAGNOSE) == 2

    assert "why holds a finished run already, made from other bins" in capsys.readouterr().err
    del finished


def test_a_log_or_a_config_that_went_on_is_another(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Path("config.py")
    config.write_text(CONFIG.replace("dropout = 0.1", "dropout = 0.2"))
    assert run(DIAGNOSE) == 2
    assert "which says something else: a file that was named" in capsys.readouterr().err

    config.write_text(CONFIG)
    with Path("run.log").open("a") as log:
        log.write("\n")
    assert run(DIAGNOSE) == 2
    assert "why holds a finished run already, of other inputs" in capsys.readouterr().err
    del finished


def test_a_file_that_was_altered_is_an_error(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = finished / "diagnosis.json"
    path.write_bytes(path.read_bytes().replace(b"schedule", b"scheduls"))

    assert run(DIAGNOSE) == 3

    assert "diagnosis.json has sha256" in capsys.readouterr().err


def test_the_same_call_leaves_what_it_wrote(finished: Path) -> None:
    before = digest(finished)
    diagnosis = weigh_log(Path("run.log"), config="config.py", bins=Path("bins"))

    diagnosis.keep(Path("why"))

    assert digest(finished) == before
