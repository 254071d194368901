"""Kernels are compiled once, into a folder of the user's."""

import os
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from assay import kernels

ROOT = Path(__file__).parent.parent.parent
SIGN = """
import numpy as np
from assay.audit.minhash import permutations, sign
text = np.frombuffer("naïve words of a document".encode(), np.uint8)
signed = sign.sign_texts(text, np.array([0, text.size]), permutations.make_permutations())
stats = sign._sign_texts.stats
print(len(stats.cache_hits), len(stats.cache_misses), int(signed.signature_NP.sum(dtype=np.uint64)))
"""


def run_fresh(script: str, folder: Path) -> str:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(folder)}
    command = [sys.executable, "-W", "error", "-c", script]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=300
    ).stdout


@pytest.fixture(scope="module")
def first_and_second(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Two lines of each of two processes: what `SIGN` prints, and which heavy modules it loaded."""
    folder = tmp_path_factory.mktemp("kernels")
    heavy = "print(sorted({'scipy.linalg', 'awkward', 'numba.np.arraymath'} & set(sys.modules)))"
    return [run_fresh(f"import sys\n{SIGN}{heavy}\n", folder).splitlines() for _ in range(2)]


@pytest.mark.long
def test_a_second_process_loads_what_the_first_compiled(first_and_second: list[list[str]]) -> None:
    first, second = (lines[0].split() for lines in first_and_second)

    assert first[:2] == ["0", "1"]
    assert second[:2] == ["1", "0"]
    assert first[2] == second[2]


@pytest.mark.long
def test_a_compiled_kernel_is_loaded_without_numbas_compiler(
    first_and_second: list[list[str]],
) -> None:
    first, second = (lines[1] for lines in first_and_second)

    assert "scipy.linalg" in first
    assert second == "[]"


def test_a_cache_folder_chosen_by_the_user_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    assert kernels.prepare_numba() == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_cache_lies_in_the_users_folder_under_a_stamp_of_the_kernels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path))
    monkeypatch.setattr("numba.config.CACHE_DIR", "")

    folder = kernels.prepare_numba()

    assert folder == tmp_path / "numba" / kernels.stamp_kernels()
    assert folder.is_dir()
    assert os.environ["NUMBA_CACHE_DIR"] == str(folder)


def test_without_a_writable_cache_a_private_folder_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(blocked))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("numba.config.CACHE_DIR", "")

    folder = kernels.prepare_numba()

    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0


def test_an_array_is_kept_beside_the_kernels_and_built_anew_where_it_is_not_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    built = []

    def build() -> np.ndarray:
        built.append(1)
        return np.arange(5, dtype=np.uint32)

    for number in (1, 1, 2):
        if number == 2:
            (tmp_path / "numbers.bin").write_bytes(b"cut")
        kept = kernels.keep_array("numbers", build, (5,), np.uint32)
        assert kept.tolist() == [0, 1, 2, 3, 4]
        assert not kept.flags.writeable
        assert len(built) == number


def test_every_file_that_holds_kernels_is_stamped() -> None:
    named = {path.resolve() for path in kernels.list_sources()}
    rooms = [path for path in ROOT.iterdir() if (ROOT / "assay" / path.name).is_symlink()]

    for folder in (ROOT / "assay", *rooms):
        for path in folder.rglob("*.py"):
            if "assay.kernels" in path.read_text(encoding="utf-8"):
                assert path.resolve() in named, path
    assert ROOT / "audit/minhash/sign.py" in named


def test_a_kernel_that_changes_at_any_depth_has_another_stamp(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the room lies is asked for: a checkout without links has it beside `assay/` alone."""
    spec = ModuleSpec("assay.audit", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(kernels, "find_spec", lambda _: spec)
    file = tmp_path / "text" / "deeper" / "kernel.py"
    file.parent.mkdir(parents=True)
    stamps = []

    for text in ("from assay.kernels import njit", "from assay.kernels import njit, inline"):
        file.write_text(text)
        stamps.append(kernels.stamp_kernels())

    assert file in kernels.list_sources()
    assert stamps[0] != stamps[1]
