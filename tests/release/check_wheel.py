"""The wheel: what is in it, what it says of itself, and that it works where nothing else is.

Not collected by itself: `make test-dist`.
"""

import re
import sys
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import assay
from assay.cli import run
from tests.release.conftest import Built, Execute
from tests.structure.tree import read_tree
from tests.support import docs_case
from tests.support.bins_fixture import draw_documents, make_bins

PAIRS = """
import assay
from pathlib import Path
print(assay.open_audit(Path("audit")).read("pairs").height)
"""
TRAIN = """
import contextlib, importlib.util, io
from assay.cli import run
assert importlib.util.find_spec("torch") is None
with contextlib.redirect_stderr(io.StringIO()) as said:
    code = run(["train", "bins", "-o", "run"])
print(code, said.getvalue())
"""


@pytest.fixture(scope="module")
def metadata(built: Built) -> Message:
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_string(wheel.read(name).decode())


def test_it_holds_every_module_once_and_no_other(built: Built) -> None:
    files = read_tree()
    wanted = {
        module.replace(".", "/") + ("/__init__.py" if file.is_front else ".py")
        for module, file in files.items()
    }

    with zipfile.ZipFile(built.wheel) as wheel:
        names = wheel.namelist()

    assert len(names) == len(set(names))
    assert {name for name in names if name.endswith(".py")} == wanted
    assert {name.split("/")[0] for name in names} == {
        "assay",
        f"assay-{assay.__version__}.dist-info",
    }
    assert {"assay/py.typed", "assay/data/gpt2_ranks.xz"} < set(names)
    assert any(name.startswith("assay/reports/assets/") for name in names)


def test_its_metadata_are_whole_and_render(
    built: Built, metadata: Message, execute: Execute, tmp_path: Path
) -> None:
    checked = execute(
        sys.executable, "-m", "twine", "check", "--strict", built.wheel, built.sdist, cwd=tmp_path
    )

    assert checked.count("PASSED") == 2
    assert metadata["Name"] == "assay"
    assert metadata["Version"] == assay.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    pythons = [f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)]
    assert set(pythons) <= set(metadata.get_all("Classifier", []))


def test_what_it_shows_to_the_world_links_to_nothing_that_is_not_there(metadata: Message) -> None:
    page = str(metadata.get_payload())
    addresses = [line.partition(", ")[2] for line in metadata.get_all("Project-URL", [])]

    assert "## Install" in page
    for address in [*re.findall(r"\]\(([^)]*)\)", page), *addresses]:
        assert address.startswith("https://"), address


def test_it_audits_prepares_and_reports_where_nothing_else_is(
    installed: Path, execute: Execute, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs_case.make_shards()
    commands = [
        ["audit", "shards", "-o", "audit"],
        ["prepare", "audit", "-o", "bins", "--drop", "exact,near,leaked", "--val-share", "0.2"],
        ["report", "audit", "bins", "-o", "page.html"],
    ]
    (here / "there").mkdir()
    (here / "there" / "shards").symlink_to(here / "shards")

    said = [execute(installed / "assay", *words, cwd=here / "there") for words in commands]

    pairs = execute(installed / "python", "-c", PAIRS, cwd=here / "there")
    assert int(pairs) > 10
    for words, out in zip(commands, said, strict=True):
        assert run(words) == 0  # the same by this checkout
        assert capsys.readouterr().out == out
    for name in ("audit/documents.parquet", "bins/train.bin", "bins/val.bin"):
        assert (here / "there" / name).read_bytes() == (here / name).read_bytes(), name
    page = (here / "there" / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "</html>" in page


def test_training_says_in_one_line_what_it_needs(
    installed: Path, execute: Execute, here: Path
) -> None:
    make_bins(Path("bins"), draw_documents(0, 20), draw_documents(1, 5))

    out = execute(installed / "python", "-c", TRAIN, cwd=here)

    assert out.startswith("2 assay: ")
    assert "pip install 'assay[train]'" in out
    assert len(out.strip().splitlines()) == 1


def test_every_module_but_those_of_training_can_be_imported(
    installed: Path, execute: Execute, tmp_path: Path
) -> None:
    names = [
        name
        for name, file in read_tree().items()
        if file.room != "train" and name != "assay.__main__"
    ]
    script = f"import importlib\nfor name in {names!r}: importlib.import_module(name)"

    execute(installed / "python", "-W", "error", "-c", script, cwd=tmp_path)
    execute(installed / "python", "-m", "pip", "check", cwd=tmp_path)
