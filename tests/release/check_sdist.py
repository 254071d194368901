"""The source distribution: it is the whole repository, and its own tests pass.

Not collected by itself: `make test-dist`. It makes an environment of its own, as anyone would.
"""

import re
import sys
import tarfile
from pathlib import Path

import pytest

import assay
from tests.release.conftest import ROOT, Built, Execute

MADE = {"PKG-INFO", "setup.cfg"}  # by the build: setup.cfg has a section more


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(built.sdist) as archive:
        archive.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    assert inside.name == f"assay-{assay.__version__}"
    return inside


def test_it_holds_every_file_of_the_repository_and_no_other(built: Built, unpacked: Path) -> None:
    found = {
        path.relative_to(unpacked).as_posix()
        for path in unpacked.rglob("*")
        if path.is_file() and "assay.egg-info" not in path.parts
    }

    assert built.sources - found == set()
    assert found - built.sources == {"PKG-INFO"}
    for name in built.sources - MADE:
        assert (unpacked / name).read_bytes() == (ROOT / name).read_bytes(), name


@pytest.mark.timeout(3600)
def test_its_own_tests_pass(unpacked: Path, execute: Execute) -> None:
    out = execute("make", "test", f"PYTHON={sys.executable}", cwd=unpacked, timeout=3500)

    (last,) = re.findall(r"^.*\d+ passed.*$", out, flags=re.MULTILINE)
    (passed,) = re.findall(r"(\d+) passed", last)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not slow"]
    listed = execute(*command, cwd=ROOT)
    (here,) = re.findall(r"^(\d+)(?:/\d+)? tests collected", listed, flags=re.MULTILINE)
    assert int(passed) > 0.98 * int(here)  # less those that need corpora, a GPU, or an extra
    assert "failed" not in last
