import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.errors import SpaceError, UsageError
from assay.storage.publish import publish, publish_bytes, sweep_temporaries


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB; mounting one takes root."""
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("mounting a small file system needs root on Linux")
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a"

    with publish(path) as file:
        file.write(b"one ")
        assert not path.exists()
        file.write(memoryview(b"two"))

    assert path.read_bytes() == b"one two"
    assert os.listdir(tmp_path) == ["a"]


def test_size_and_sha256_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    data = random.Random(0).randbytes(300_000)

    with publish(path) as file:
        for start in range(0, len(data), 7_001):
            file.write(data[start : start + 7_001])

    assert file.size == file.tell() == path.stat().st_size
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_wide_items_count_as_bytes(tmp_path: Path) -> None:
    with publish(tmp_path / "a") as file:
        assert file.write(memoryview(bytes(8)).cast("I")) == 8
    assert (tmp_path / "a").stat().st_size == 8


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, FileExistsError])
def test_an_error_in_the_block_leaves_the_old_file(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    with pytest.raises(error), publish(path) as file:
        file.write(b"new")
        raise error

    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("links", [True, False])
def test_create_only_refuses_a_taken_name(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "a"

    publish_bytes(path, b"old", replace=False)
    with pytest.raises(UsageError, match="exists already"):
        publish_bytes(path, b"new", replace=False)

    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_threads_that_write_one_name_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "a"
    errors: list[BaseException] = []
    barrier = threading.Barrier(4)

    def write(letter: bytes) -> None:
        try:
            for _ in range(10):
                barrier.wait()
                publish_bytes(path, letter * 1_000)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not errors
    assert len(set(path.read_bytes())) == 1
    assert os.listdir(tmp_path) == ["a"]


def test_sweep_removes_leftovers_alone(tmp_path: Path) -> None:
    for name in (".tmp-1-a", ".tmp-x", "a", ".hidden"):
        (tmp_path / name).touch()

    sweep_temporaries(tmp_path)

    assert sorted(os.listdir(tmp_path)) == [".hidden", "a"]


@pytest.mark.parametrize("size", [1, 4_096, 50_000, 70_000, 262_144, 1_000_000])
def test_a_full_disk_leaves_nothing(small_disk: Path, size: int) -> None:
    old = small_disk / "old"
    publish_bytes(old, b"old")
    (small_disk / "filler").write_bytes(bytes(220_000))

    if size < 40_000:
        publish_bytes(old, bytes(size))
        assert old.read_bytes() == bytes(size)
        return
    with pytest.raises(SpaceError, match=r"old: no space left \([0-9,]+ bytes free\)"):
        publish_bytes(old, bytes(size))

    assert old.read_bytes() == b"old"
    assert sorted(os.listdir(small_disk)) == ["filler", "old"]


def test_a_full_disk_is_told_at_every_write_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")

    def fail(*_: object) -> None:
        raise full

    for name in ("fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, fail)
            with pytest.raises(SpaceError):
                publish_bytes(tmp_path / "a", b"new", replace=False)
        assert os.listdir(tmp_path) == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_disk_that_is_read_only_is_told_by_the_name_that_was_asked_for(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    with pytest.raises(UsageError, match=r"small/a cannot be written \(Read-only file system\)"):
        publish_bytes(small_disk / "a", b"x")


def test_a_killed_writer_leaves_old_or_new_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    old, new = b"o" * 400_000, b"n" * 400_000
    chance = random.Random(1)
    for _ in range(40):
        path.write_bytes(old)
        child = os.fork()
        if child == 0:
            try:
                publish_bytes(path, new)
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, 0.002))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = path.read_bytes()
        assert found in (old, new)
        sweep_temporaries(tmp_path)
        assert os.listdir(tmp_path) == ["a"]
