"""From a real audit to bins, in process."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from assay.audit.run import audit_shards
from assay.audit.scan.settings import AuditSettings
from assay.corpus.tokenizer import Tokenizer
from assay.errors import IntegrityError, UsageError
from assay.formats.bins import Bins, open_bins
from assay.prepare.run import plan_bins, prepare_bins
from assay.prepare.write_bin import write_bin
from assay.storage.fingerprint import hash_file
from assay.storage.manifest import check_file, hash_manifest
from tests.support.make import decode, make_corpus, write_shard
from tests.twins import prepare as reference

FILES = ("train.bin", "val.bin", "documents.parquet", "dropped.parquet")


def prepare(audit: Path, output: Path, **options: Any) -> Bins:
    return prepare_bins(audit, output, **{"val_share": 0.2, **options})


def hashes(bins: Bins) -> dict[str, str]:
    """The sha256 of each file, read from the disk, the manifest's included."""
    for entry in bins.manifest.outputs:
        check_file(bins.folder, entry)
    assert sorted(os.listdir(bins.folder)) == sorted([*FILES, "manifest.json"])
    found = {name: hash_file(bins.folder / name) for name in FILES}
    return found | {"manifest.json": hash_manifest(bins.folder)}


def read_source(corpus: Path) -> dict[tuple[int, int], str]:
    """The text of each document by (shard, row)."""
    texts = {}
    for shard, name in enumerate(("a.parquet", "b.parquet")):
        for row, text in enumerate(pq.read_table(corpus / name)["text"].to_pylist()):
            if text is not None:
                texts[shard, row] = text
    return texts


@pytest.mark.parametrize("drop", ["none", "exact", "exact,near,leaked,empty"])
def test_bins_hold_the_texts_that_the_table_names(
    corpus: Path, audited: Path, tmp_path: Path, gpt2: Tokenizer, drop: str
) -> None:
    texts = read_source(corpus)

    bins = prepare(audited, tmp_path / "bins", drop=drop)

    places = set()
    for split in ("train", "val"):
        ids = bins.map_ids(split)
        table = bins.read_documents(split).to_dicts()
        assert [row["start"] for row in table] == [0, *(row["end"] for row in table[:-1])]
        assert table[-1]["end"] == ids.size
        assert ids.max() <= 50_256
        for row in table:
            own = ids[row["start"] : row["end"]]
            assert own[-1] == 50_256
            assert decode(gpt2, own[:-1]) == texts[row["shard"], row["row"]]
            assert row["id"] == f"{'ab'[row['shard']]}-{row['row']}"
            places.add((row["shard"], row["row"]))
        documents = [gpt2.encode_reference(texts[r["shard"], r["row"]].encode()) for r in table]
        expected = reference.bin_bytes([list(ids) for ids in documents], 50_256)
        assert (bins.folder / f"{split}.bin").read_bytes() == expected
    dropped = pl.read_parquet(bins.folder / "dropped.parquet").to_dicts()
    gone = {(row["shard"], row["row"]) for row in dropped}
    assert len(gone) == len(dropped)
    assert places | gone == set(texts)
    assert not places & gone
    for row in dropped:
        because = texts.get((row["because_shard"], row["because_row"]))
        assert (because is None) == (row["reason"] == "empty")
        if row["reason"] == "exact":
            assert because == texts[row["shard"], row["row"]]


def test_totals_are_those_of_the_files(audited: Path, tmp_path: Path) -> None:
    bins = prepare(audited, tmp_path / "bins")
    totals = bins.manifest.totals

    dropped = pl.read_parquet(bins.folder / "dropped.parquet")
    for split in ("train", "val"):
        assert totals[split]["ids"] == bins.map_ids(split).size
        assert totals[split]["documents"] == bins.read_documents(split).height > 0
    for reason, part in totals["dropped"].items():
        rows = dropped.filter(pl.col("reason") == reason)
        assert (part["documents"], part["tokens"]) == (rows.height, rows["tokens"].sum())
    assert totals["split_check"]["exact_across"] == totals["split_check"]["near_across"] == 0
    assert totals["dropped"]["exact"]["documents"] > 0
    assert totals["dropped"]["near"]["documents"] > 0
    assert bins.manifest.parents == {"audit": hash_manifest(audited)}


def test_a_raw_and_a_clean_dataset_are_judged_on_the_same_documents(
    audited: Path, tmp_path: Path
) -> None:
    raw = prepare(audited, tmp_path / "raw", drop="none")
    clean = prepare(audited, tmp_path / "clean", keep="longest")

    assert hash_file(raw.folder / "val.bin") == hash_file(clean.folder / "val.bin")
    assert raw.map_ids("train").size > clean.map_ids("train").size
    other = prepare(audited, tmp_path / "other", seed=1)
    assert hash_file(other.folder / "val.bin") != hash_file(raw.folder / "val.bin")


def test_a_second_run_gives_the_same_bytes(audited: Path, tmp_path: Path) -> None:
    first = hashes(prepare(audited, tmp_path / "a", threads=1))

    assert hashes(prepare(audited, tmp_path / "b", threads=3)) == first


def test_audits_without_kept_ids_give_the_same_bins(
    corpus: Path, audited: Path, tmp_path: Path
) -> None:
    for threads in (1, 2):
        settings = AuditSettings(keep_tokens=False, threads=threads)
        audit = audit_shards([corpus], tmp_path / f"audit{threads}", settings=settings)
        assert audit.token_files == []
    kept = hashes(prepare(audited, tmp_path / "kept"))

    made = [
        hashes(prepare(tmp_path / f"audit{n}", tmp_path / f"bins{n}", threads=n)) for n in (1, 2)
    ]

    assert made[0] == made[1]
    assert {name: made[0][name] for name in FILES} == {name: kept[name] for name in FILES}


@pytest.mark.parametrize("keep_tokens", [True, False])
def test_a_bin_keeps_its_own_ids(tmp_path: Path, gpt2: Tokenizer, keep_tokens: bool) -> None:
    """A bin may hold ids that no encoder would choose; they are kept as they are."""
    spelled = [int(gpt2.encode_reference(letter)[0]) for letter in (b"h", b"e", b"l", b"l", b"o")]
    documents = [[31, 32, 33], spelled, [1, 2], [7], [8, 9, 10, 11], [12]]
    assert gpt2.encode_reference(gpt2.decode(np.array(spelled))).size == 1
    (tmp_path / "own.bin").write_bytes(reference.bin_bytes(documents, 50_256))
    settings = AuditSettings(keep_tokens=keep_tokens)
    audit_shards([tmp_path / "own.bin"], tmp_path / "audit", settings=settings)

    bins = prepare(tmp_path / "audit", tmp_path / "bins", drop="none", val_tokens=1, val_share=None)

    found = []
    for split in ("train", "val"):
        ids = bins.map_ids(split).tolist()
        for row in bins.read_documents(split).to_dicts():
            found.append(ids[row["start"] : row["end"] - 1])
    assert sorted(found) == sorted(documents)


def test_a_dataset_of_ours_audits_to_the_same_tokens(audited: Path, tmp_path: Path) -> None:
    bins = prepare(audited, tmp_path / "bins")

    again = audit_shards([bins.folder], tmp_path / "again")

    totals = again.manifest.totals
    for split in ("train", "val"):
        assert totals[split]["documents"] == bins.manifest.totals[split]["documents"]
        assert totals[split]["tokens"] == bins.manifest.totals[split]["tokens"]
    assert totals["leaks"]["exact"] == totals["leaks"]["near"] == 0
    assert totals["exact"]["documents"] == totals["near"]["documents"] == 0


def test_the_val_shards_of_an_audit_are_held_out(corpus: Path, tmp_path: Path) -> None:
    train, val = corpus / "a.parquet", corpus / "b.parquet"
    audit_shards([train], tmp_path / "apart", val=[val])
    audit_shards([train, val], tmp_path / "together")

    apart = prepare(tmp_path / "apart", tmp_path / "bins-apart", val_share=None)
    named = prepare(tmp_path / "together", tmp_path / "bins-named", val_share=None, val=[str(val)])

    for name in FILES:
        assert hash_file(apart.folder / name) == hash_file(named.folder / name)
    assert apart.manifest.totals["val"]["documents"] == pq.read_metadata(val).num_rows
    with pytest.raises(
        UsageError, match=r"has validation documents of its own, .*; leave out val_share"
    ):
        prepare(tmp_path / "apart", tmp_path / "none", val_share=0.1)
    with pytest.raises(UsageError, match=r"val must name .*b\.parquet would go into train"):
        prepare(tmp_path / "apart", tmp_path / "none", val_share=None, val=[str(train)])
    other = write_shard(tmp_path / "other.parquet", ["something else"])
    with pytest.raises(UsageError, match="is not among the shards"):
        prepare(tmp_path / "together", tmp_path / "none", val_share=None, val=[str(other)])
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("named", [["a"], ["b"], ["c"], ["link"], ["a", "b"]])
def test_of_equal_shards_those_named_are_held_out(here: Path, named: list[str]) -> None:
    """`a` and `b` are equal files, `link` leads to `a`."""
    places = {"a": 0, "link": 0, "b": 1, "c": 2}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_shard(here / f"{name}.parquet", make_corpus(30, seed=seed), id=range(42))
    (here / "link.parquet").symlink_to("a.parquet")
    audit_shards([f"{name}.parquet" for name in "abc"], here / "audit")

    val = [f"{name}.parquet" for name in named]
    bins = prepare(here / "audit", here / "bins", val_share=None, val=val)

    held_out = set(bins.read_documents("val")["shard"].to_list())
    assert held_out == {places[name] for name in named}
    assert bins.manifest.settings["val_shards"] == sorted(held_out)
    assert bins.read_documents("train")["shard"].is_in([*held_out]).sum() == 0
    assert bins.manifest.totals["split_check"]["exact_across"] == 0


def test_a_copy_of_equal_shards_is_refused_by_their_names(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        write_shard(here / f"{name}.parquet", make_corpus(30), id=range(42))
    audit_shards(["a.parquet", "b.parquet"], here / "audit")
    write_shard(here / "copy.parquet", make_corpus(30), id=range(42))

    with pytest.raises(UsageError, match=r"shards of .*, a\.parquet and b\.parquet; name the one"):
        prepare(here / "audit", here / "bins", val_share=None, val=["copy.parquet"])
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    with pytest.raises(UsageError, match="from the same working directory"):
        prepare(here / "audit", here / "bins", val_share=None, val=["../a.parquet"])


def test_a_dry_run_tells_the_totals_and_writes_nothing(audited: Path, tmp_path: Path) -> None:
    bins = prepare(audited, tmp_path / "bins")
    before = sorted(os.listdir(tmp_path))

    planned = plan_bins(audited, val_share=0.2)

    assert planned == bins.totals
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("chunk", [1, 5, 1_000])
def test_a_bin_is_written_alike_in_chunks_of_any_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("assay.prepare.write_bin._CHUNK_IDS", chunk)
    sources = [np.array([1, 2, 9, 3, 9], "<u2"), np.array([4, 9, 9], "<u2")]
    source, start, length = np.array([[1, 0, 2], [0, 3, 2], [1, 2, 1], [0, 0, 3]]).T
    steps: list[int] = []

    entry = write_bin(tmp_path / "a.bin", sources, source, start, length, 10, steps.append)

    assert np.fromfile(tmp_path / "a.bin", "<u2").tolist() == [4, 9, 3, 9, 9, 1, 2, 9]
    assert (entry.rows, entry.size, sum(steps)) == (8, 16, 8)
    assert entry.sha256 == hash_file(tmp_path / "a.bin")


def test_an_id_beyond_the_vocabulary_is_not_written(tmp_path: Path) -> None:
    source, start, length = np.array([[0, 0, 2]]).T

    with pytest.raises(IntegrityError, match="hold 9, the vocabulary has 9"):
        write_bin(tmp_path / "a.bin", [np.array([1, 9], "<u2")], source, start, length, 9, print)
    assert os.listdir(tmp_path) == []


def test_an_audit_is_no_bins(audited: Path) -> None:
    with pytest.raises(UsageError, match="holds an audit, needed bins"):
        open_bins(audited)
