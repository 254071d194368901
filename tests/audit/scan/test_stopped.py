"""An audit that ends with an error keeps the parts of finished shards, where any were kept."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.planted_pairs import (
    MAX_DOCUMENTS,
    choose_documents,
    keep_drawn,
    measure_chosen,
)
from assay.audit.scan import shard_cache, shard_cache_format
from assay.audit.scan.scanner import Scanner
from assay.cli import run
from tests.support.make import make_corrupt_page, write_shard
from tests.support.stopped_audits import (
    AUDIT,
    SHARDS,
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

pytestmark = pytest.mark.long
SKIP = [*AUDIT, "--on-bad-shard", "skip"]


@pytest.fixture(autouse=True)
def shards(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five small shards, of which parts are kept."""
    make_shards(here)
    monkeypatch.setattr(shard_cache, "MIN_BYTES", 0)


def stop(*_: Any) -> None:
    raise KeyboardInterrupt


def test_an_interrupted_audit_keeps_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = audit_clean()
    with monkeypatch.context() as patch:
        patch.setattr("assay.audit.run.measure_documents", stop)
        assert run(AUDIT) == 130

    assert sorted(os.listdir("out")) == [".unfinished", "parts", "tokens"]
    assert run(["verify", "out"]) == 3
    assert run(AUDIT) == 0
    assert digest() == clean


def test_where_little_can_be_lost_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    size = sum(Path(name).stat().st_size for name in (*SHARDS, "v.parquet"))
    monkeypatch.setattr("assay.audit.run.measure_documents", stop)
    for least, command, left in (
        (size + 1, AUDIT, False),
        (size, AUDIT, True),
        (0, ["audit", "d.parquet", "-o", "out"], False),
    ):
        monkeypatch.setattr(shard_cache, "MIN_BYTES", least)

        assert run(command) == 130

        assert Path("out").exists() == left
        assert bool(list_parts()) == left
        shutil.rmtree("out", ignore_errors=True)


def test_parts_that_are_not_asked_for_any_more_are_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = ["audit", "d.parquet", "-o", "out", "--no-token-cache"]
    clean = audit_clean(one)
    with monkeypatch.context() as patch:
        patch.setattr("assay.audit.run.measure_documents", stop)
        assert run(AUDIT) == 130

    assert run(one) == 0

    assert digest() == clean


def test_after_a_bad_shard_is_repaired_the_others_are_not_scanned_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = audit_clean()
    good = Path("d.parquet").read_bytes()
    make_corrupt_page(Path("d.parquet"))
    assert run(AUDIT) == 3
    assert list_parts() == ["00000.json", "00001.json", "00002.json"]
    Path("d.parquet").write_bytes(good)
    scanned = watch_scans(monkeypatch)
    capsys.readouterr()

    assert run(AUDIT) == 0

    assert scanned == [3, 4]
    assert THERE.format(3, 5) in capsys.readouterr().err
    assert digest() == clean


def test_shards_before_one_that_is_set_aside_are_scanned_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_corrupt_page(Path("c.parquet"))
    clean = audit_clean(SKIP, 4)
    scanned = watch_scans(monkeypatch)

    assert run(SKIP) == 4

    assert scanned == [0, 1, 2, 3, 4, 2, 3]  # of five shards; then, of four, what is left
    assert digest() == clean


@needs_proc
@pytest.mark.parametrize("ending", ["-documents.parquet", "-00003.json", "-00002.bin"])
def test_an_audit_killed_after_a_shard_was_set_aside_goes_on(
    monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    make_corrupt_page(Path("c.parquet"))
    clean = audit_clean(SKIP, 4)
    nth = 2 if ending.endswith(".bin") else 1  # the first is the bad shard's
    kill_at(nth if Path("out").exists() else 1, ending, SKIP)
    scanned = watch_scans(monkeypatch)

    assert run(SKIP) == 4

    assert not {0, 1} & set(scanned)
    assert digest() == clean


def test_where_most_rows_are_set_aside_parts_are_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pairs were planted for a corpus twice as large as that which is left, and are too few."""
    write_shard(Path("w.parquet"), TEXTS * 3)
    data = bytearray(Path("w.parquet").read_bytes())
    data[200:260] = bytes(60)
    Path("w.parquet").write_bytes(data)
    command = ["audit", *SHARDS, "w.parquet", "-o", "out", "--on-bad-shard", "skip"]
    clean = audit_clean(command, 4)
    scanned = watch_scans(monkeypatch)

    assert run(command) == 4

    assert scanned == [0, 1, 2, 3, 4, 0, 1, 2, 3]
    assert digest() == clean


def test_a_disk_that_is_full_for_a_part_ends_the_run_and_keeps_the_parts_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = audit_clean()
    write = shard_cache_format.write_groups

    def refuse(file: Any, scanned: Any) -> None:
        if scanned[0].shard == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, scanned)

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(shard_cache, "write_groups", refuse)
        assert run(AUDIT) == 5
    err = capsys.readouterr().err
    assert err.startswith("assay: out/parts/00003.arrow: no space left (")
    assert len(err.splitlines()) == 1
    assert {"00000.json", "00001.json", "00002.json"} <= set(list_parts())
    assert not list(Path("out").rglob(".tmp-*"))

    assert run(AUDIT) == 0

    assert digest() == clean


def test_bins_are_gone_on_with_too(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    for name, most in (("train", 40_000), ("val", 5_000)):
        ids = generator.integers(0, 50_000, most).astype("<u2")
        ids[generator.integers(0, most, most // 100)] = 50_256
        Path(f"{name}.bin").write_bytes(ids.tobytes())
    command = ["audit", "train.bin", "--val", "val.bin", "-o", "out"]
    clean = audit_clean(command)
    with monkeypatch.context() as patch:
        patch.setattr("assay.audit.run.measure_documents", stop)
        assert run(command) == 130
    scanned = watch_scans(monkeypatch)

    assert run(command) == 0

    assert scanned == []
    assert digest() == clean


@pytest.mark.parametrize("scheme", ["affine32", "slots"])
def test_documents_chosen_for_fewer_rows_hold_those_of_more(scheme: Any) -> None:
    rule = MinHashConfig(scheme=scheme)
    encoded = [text.encode() for text in TEXTS]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])
    hashes = np.random.default_rng(5).integers(0, 2**64, (len(encoded), 2), np.uint64, False)
    hashes = hashes.view("V16")[:, 0]

    def plant(num_rows: int) -> Any:
        chosen = choose_documents(hashes, np.diff(offsets), num_rows)
        return measure_chosen(data, offsets, hashes, chosen, rule.make_scheme(), rule)

    many = plant(MAX_DOCUMENTS)
    for num_rows in (0, 1, MAX_DOCUMENTS, 500, 501, 2_000, 10**9):
        few, kept = plant(num_rows), keep_drawn(many, num_rows)
        assert np.array_equal(kept.size_D, few.size_D)
        assert np.array_equal(kept.key_D, few.key_D)
        assert np.array_equal(kept.content_hash_D, few.content_hash_D)
    assert many.size_D.size > keep_drawn(many, 2_000).size_D.size > 0


def test_an_audit_without_parts_plants_no_more_than_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    begin = Scanner.__init__

    def watched(self: Scanner, *arguments: Any) -> None:
        asked.append(arguments[3])
        begin(self, *arguments)

    monkeypatch.setattr(Scanner, "__init__", watched)
    audit_clean()
    assert run(AUDIT) == 0

    assert asked == [887, 443]
