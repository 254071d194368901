"""Killed, out of space, or on other threads: a rerun gives the bytes of an uninterrupted run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.cli import run
from assay.storage.fingerprint import hash_file
from tests.support.make import make_corpus, write_shard

# Runs `assay` and ends it with a signal just before the n-th flush to the disk.
DRIVER = """
import os, signal, sys
from assay.cli import main
left, number = int(sys.argv.pop(1)), int(sys.argv.pop(1))
real = os.fsync
def fsync(descriptor):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), number)
    real(descriptor)
os.fsync = fsync
main()
"""


def digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def command(here: Path, request: pytest.FixtureRequest) -> list[str]:
    """A command that writes `out`, with its input in the working directory."""
    if request.param == "audit":
        texts = make_corpus()
        write_shard(here / "a.parquet", texts[:90])
        write_shard(here / "b.parquet", texts[90:])
        return ["audit", "a.parquet", "b.parquet", "-o", "out", "--threads", "1"]
    shutil.copytree(request.getfixturevalue("audited"), here / "audit")
    return ["prepare", "audit", "-o", "out", "--val-share", "0.2"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 kB; mounting one takes root."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("mounting a small file system needs root on Linux")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", place], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def end_at_flush(command: list[str], flush: int, number: signal.Signals) -> int:
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(flush), str(int(number)), *command], capture_output=True
    )
    return done.returncode


@pytest.mark.parametrize(
    ("command", "flushes"),
    [("audit", (1, 2, 3, 6, 9, 12, 17)), ("prepare", (1, 3, 6, 9, 11))],
    indirect=["command"],
    ids=["audit", "prepare"],
)
@pytest.mark.long
def test_a_rerun_after_a_kill_gives_the_bytes_of_a_clean_run(
    here: Path, command: list[str], flushes: tuple[int, ...]
) -> None:
    assert run(command) == 0
    clean = digest(here / "out")
    for flush in flushes:
        shutil.rmtree(here / "out")
        assert end_at_flush(command, flush, signal.SIGKILL) == -signal.SIGKILL
        assert not (here / "out" / "manifest.json").exists()

        assert run(command) == 0

        assert digest(here / "out") == clean, f"killed before flush {flush}"


@pytest.mark.parametrize("command", ["audit"], indirect=True)
@pytest.mark.long
def test_a_rerun_after_a_kill_at_any_time_gives_the_bytes_of_a_clean_run(
    here: Path, command: list[str]
) -> None:
    assert run(command) == 0
    clean = digest(here / "out")
    chance = random.Random(0)
    for _ in range(4):
        shutil.rmtree(here / "out")
        with subprocess.Popen(
            [sys.executable, "-m", "assay", *command], stdout=subprocess.DEVNULL
        ) as process:
            deadline = time.monotonic() + 20
            while not (here / "out").exists() and time.monotonic() < deadline:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.2))
            process.kill()
        if not (here / "out" / "manifest.json").exists():
            assert run(command) == 0

        left = digest(here / "out")

        assert {name: left[name] for name in clean} == clean
        assert set(left) - set(clean) <= {".lock", ".unfinished"}  # killed just after the seal
        assert run(["verify", "out", "--deep"]) == 0


@pytest.mark.parametrize("command", ["audit"], indirect=True)
def test_a_folder_killed_just_after_its_seal_is_whole(here: Path, command: list[str]) -> None:
    assert run(command) == 0
    (here / "out" / ".unfinished").write_text("audit\n")
    (here / "out" / ".lock").touch()

    assert run(["verify", "out", "--deep"]) == 0
    assert run(["prepare", "out", "-o", "bins", "--val-share", "0.2"]) == 0


@pytest.mark.parametrize("command", ["audit", "prepare"], indirect=True)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["int", "term"]
)
def test_an_interrupted_command_leaves_nothing(
    here: Path, command: list[str], number: signal.Signals, code: int
) -> None:
    before = sorted(os.listdir(here))

    assert end_at_flush(command, 5, number) == code

    assert sorted(os.listdir(here)) == before


@pytest.mark.parametrize("command", ["audit", "prepare"], indirect=True)
def test_on_a_full_disk_nothing_is_left_and_a_rerun_completes(
    here: Path, command: list[str], small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Room grows by a page or two, so that each file in turn finds the disk full."""
    assert run(command) == 0
    clean = digest(here / "out")
    output = small_disk / "out"
    command = [str(output) if word == "out" else word for word in command]
    filler = small_disk / "filler"
    failures = 0
    for room in range(4_096, 400_000, 12_288):
        filler.write_bytes(bytes(512 * 1_024 - room))
        capsys.readouterr()
        code = run(command)
        err = capsys.readouterr().err
        if code == 0:
            break
        failures += 1
        assert code == 5, err
        assert len(err.splitlines()) == 1
        assert "o space left" in err
        assert os.listdir(small_disk) == ["filler"]
        filler.unlink()

    assert failures >= 3
    assert digest(output) == clean


@pytest.mark.long
def test_threads_and_row_groups_change_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str | None] = [*make_corpus(), None]
    found = {}
    for threads, rows in ((1, 1_000), (2, 1_000), (1, 1), (2, 100)):
        folder = tmp_path / f"{threads}-{rows}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        unit = 4_000_000 if rows == 1_000 else 1  # of row groups that are read together
        monkeypatch.setattr("assay.corpus.readers.parquet._UNIT_BYTES", unit)
        write_shard(folder / "a.parquet", texts[:100], row_group_size=rows)
        write_shard(folder / "b.parquet", texts[100:], row_group_size=rows)
        options = ["--threads", str(threads)]
        assert run(["audit", "a.parquet", "b.parquet", "-o", "audit", *options]) == 0
        assert run(["prepare", "audit", "-o", "bins", "--val-share", "0.2", *options]) == 0
        assert run(["audit", "a.parquet", "b.parquet", "-o", "bare", "--no-token-cache"]) == 0
        assert run(["prepare", "bare", "-o", "encoded", "--val-share", "0.2", *options]) == 0
        names = {
            "audit": ("documents", "pairs", "clusters", "leaks"),
            "bins": ("documents", "dropped"),
        }
        tables = [f"{name}/{table}.parquet" for name in names for table in names[name]]
        bins = ["audit/tokens/00000.bin", "audit/tokens/00001.bin", "audit/findings.json"]
        bins += ["bins/train.bin", "bins/val.bin"]
        found[threads, rows] = {name: hash_file(folder / name) for name in (*tables, *bins)}
        for name in ("train.bin", "val.bin", "documents.parquet", "dropped.parquet"):
            assert hash_file(folder / "encoded" / name) == hash_file(folder / "bins" / name)

    first = found[1, 1_000]
    assert all(other == first for other in found.values())
