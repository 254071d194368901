"""Audits that are stopped, in the working directory, and what they leave."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assay.audit.scan import shard_cache
from assay.audit.scan.scanner import Scanner
from assay.cli import run
from assay.storage.fingerprint import hash_file
from tests.support.make import make_corpus, write_shard

# Runs `assay` with parts kept, and kills it just before the n-th flush to the disk of a file whose
# name has a given ending.
DRIVER = """
import os, signal, sys
from assay.audit.scan import shard_cache
from assay.cli import main
shard_cache.MIN_BYTES = 0
left, ending = int(sys.argv.pop(1)), sys.argv.pop(1)
real = os.fsync
def fsync(descriptor):
    global left
    left -= os.readlink(f"/proc/self/fd/{descriptor}").endswith(ending)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(descriptor)
os.fsync = fsync
main()
"""
SHARDS = ["a.parquet", "b.parquet", "c.parquet", "d.parquet"]
TEXTS = [*make_corpus(600, seed=3), *make_corpus(60, seed=4)]  # some are planted in, not all
AUDIT = ["audit", *SHARDS, "--val", "v.parquet", "-o", "out"]
THERE = "resuming: {} of {} shards were scanned before\n"
AFRESH = "scanned again, since what was cached is damaged or of other settings: {}\n"
needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def make_shards(folder: Path) -> None:
    """Four shards, one of them empty, and one of validation documents."""
    cuts = [TEXTS[:300], TEXTS[300:301], [], TEXTS[301:700]]
    for name, texts in zip(SHARDS, cuts, strict=True):
        rows = [*texts, *([None] if texts else [])]
        write_shard(folder / name, rows, row_group_size=90, compression="none")
    write_shard(folder / "v.parquet", TEXTS[700:], token_count=[3] * len(TEXTS[700:]))


def digest(folder: str = "out") -> dict[str, str]:
    """Return the sha256 of each file."""
    files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): hash_file(path) for path in files}


def audit_clean(command: Sequence[str] = AUDIT, code: int = 0) -> dict[str, str]:
    """Audit without a stop and without parts; return the sha256 of each file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_cache, "MIN_BYTES", 1 << 60)
        assert run(["clean" if word == "out" else word for word in command]) == code
    return digest("clean")


def kill_at(flush: int, ending: str, command: Sequence[str] = AUDIT) -> None:
    """Start an audit and kill it before the n-th flush of a file whose name ends so."""
    driven = [sys.executable, "-c", DRIVER, str(flush), ending, *command]
    done = subprocess.run(driven, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not Path("out/manifest.json").exists()


def list_parts() -> list[str]:
    """Name the records of the parts that lie in `out`."""
    return sorted(path.name for path in Path("out/parts").glob("[0-9]*.json"))


def watch_scans(patch: pytest.MonkeyPatch) -> list[int]:
    """Return a list to which the number of each shard that is scanned will be added."""
    scanned: list[int] = []
    scan = Scanner.scan

    def watched(self: Scanner, tasks: list[tuple[int, int]], threads: int) -> Any:
        scanned.extend(dict.fromkeys(shard for shard, _ in tasks))
        return scan(self, tasks, threads)

    patch.setattr(Scanner, "scan", watched)
    return scanned
