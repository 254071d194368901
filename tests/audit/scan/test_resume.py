"""An audit that was killed goes on shard by shard, and gives the bytes of one that was not."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.audit.minhash import band_keys as keys
from assay.audit.scan import shard_cache
from assay.cli import run
from tests.support.make import write_shard
from tests.support.stopped_audits import (
    AFRESH,
    AUDIT,
    TEXTS,
    THERE,
    audit_clean,
    digest,
    kill_at,
    list_parts,
    make_shards,
    needs_proc,
    watch_scans,
)

pytestmark = [needs_proc, pytest.mark.long]
EVERY = [0, 1, 2, 3, 4]
TABLE = "-documents.parquet"  # the first: all shards are scanned by then


@pytest.fixture(autouse=True)
def shards(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five small shards, of which parts are kept."""
    make_shards(here)
    monkeypatch.setattr(shard_cache, "MIN_BYTES", 0)


@pytest.mark.parametrize(("first", "then"), [("1", "3"), ("3", "1")])
def test_a_rerun_after_a_kill_gives_the_bytes_of_a_clean_run(first: str, then: str) -> None:
    clean = audit_clean()
    moments = [(1, ".json"), (3, ".json"), (5, ".json"), (2, ".arrow"), (3, ".keys")]
    moments += [(2, ".bin"), (1, TABLE), (1, "-manifest.json")]
    for flush, ending in moments:
        kill_at(flush, ending, [*AUDIT, "--threads", first])

        assert run([*AUDIT, "--threads", then]) == 0

        assert digest() == clean, f"killed before flush {flush} of {ending}"
        assert run(["verify", "out", "--deep"]) == 0
        shutil.rmtree("out")


def test_a_run_killed_twice_and_more_goes_on_each_time() -> None:
    clean = audit_clean()
    for found in range(5):
        assert len(list_parts()) == found
        if found < 4:
            kill_at(2, ".json", [*AUDIT, "--threads", "1"])
            made = list_parts()
            assert len(made) == found + 1
    assert run(AUDIT) == 0

    assert digest() == clean


@pytest.mark.parametrize("limit", [keys.MEMORY_BYTES, 0])
def test_shards_that_have_a_part_are_not_scanned_and_this_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], limit: int
) -> None:
    clean = audit_clean()
    kill_at(1, TABLE)
    assert len(list_parts()) == 5
    Path("out/parts/00001.json").unlink()
    for stale in ("tokens/00009.bin", "tokens/.tmp-1-00001.bin", "parts/.tmp-1-00001.json"):
        Path("out", stale).touch()
    monkeypatch.setattr(keys, "MEMORY_BYTES", limit)
    scanned = watch_scans(monkeypatch)
    capsys.readouterr()

    assert run(AUDIT) == 0

    assert scanned == [1]
    err = capsys.readouterr().err
    assert THERE.format(4, 5) in err
    assert "scanned again" not in err
    assert digest() == clean


def test_keys_on_disk_make_the_same_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back of a table on disk, into a part, and from there into one in memory."""
    clean = audit_clean()
    with monkeypatch.context() as patch:
        patch.setattr(keys, "MEMORY_BYTES", 0)
        patch.setattr("assay.audit.run.measure_documents", lambda *_: 1 / 0)
        assert run(AUDIT) == 5
    assert len(list_parts()) == 5

    assert run(AUDIT) == 0

    assert digest() == clean


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("harm", [flip, cut, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_part_is_made_anew(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    harm: Callable[[Path], None],
) -> None:
    clean = audit_clean()
    kill_at(1, TABLE)
    for name in ("parts/00000.arrow", "parts/00003.keys", "tokens/00004.bin"):
        harm(Path("out", name))
    Path("out/parts/00001.json").write_text('{"recipe": 1}')
    scanned = watch_scans(monkeypatch)
    capsys.readouterr()

    assert run(AUDIT) == 0

    err = capsys.readouterr().err
    assert THERE.format(1, 5) in err
    assert AFRESH.format("4 shards") in err
    assert scanned == [0, 1, 3, 4]
    assert digest() == clean


@pytest.mark.parametrize("place", [0, 1, 2], ids=["columns", "keys", "ids"])
def test_a_record_whose_files_do_not_fit_together_is_not_believed(
    place: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another shard's file under the name of this one's, in a record that has its hash."""
    clean = audit_clean()
    kill_at(1, TABLE)
    own, other = (json.loads(Path(f"out/parts/0000{n}.json").read_text()) for n in (0, 3))
    shutil.copy(Path("out", other["files"][place]["name"]), "foreign")
    shutil.move("foreign", Path("out", own["files"][place]["name"]))
    own["files"][place] = other["files"][place] | {"name": own["files"][place]["name"]}
    Path("out/parts/00000.json").write_text(json.dumps(own))
    capsys.readouterr()

    assert run(AUDIT) == 0

    assert AFRESH.format("1 shard") in capsys.readouterr().err
    assert digest() == clean


def test_a_shard_that_changed_meanwhile_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    kill_at(1, TABLE)
    size = Path("a.parquet").stat().st_size
    texts = [*TEXTS[:300], None]
    texts[7] = TEXTS[7][::-1]
    write_shard(Path("a.parquet"), texts, row_group_size=90, compression="none")
    assert Path("a.parquet").stat().st_size == size
    clean = audit_clean()
    scanned = watch_scans(monkeypatch)

    assert run(AUDIT) == 0

    assert scanned == [0]
    assert digest() == clean


@pytest.mark.parametrize(
    ("options", "scanned"),
    [
        (["--threshold", "0.7"], []),
        (["--fail-on", "exact>0.9", "--threads", "1"], []),
        (["--bands", "15"], EVERY),
        (["--signature", "slots"], EVERY),
        (["--invalid-utf8", "drop"], EVERY),
        (["--no-token-cache"], EVERY),
        (["--text-column", "id"], EVERY),
    ],
)
def test_parts_of_other_settings_serve_where_the_scan_does_not_depend_on_them(
    monkeypatch: pytest.MonkeyPatch, options: list[str], scanned: list[int]
) -> None:
    clean = audit_clean([*AUDIT, *options])
    kill_at(1, TABLE)
    found = watch_scans(monkeypatch)

    assert run([*AUDIT, *options]) == 0

    assert found == scanned
    assert digest() == clean
