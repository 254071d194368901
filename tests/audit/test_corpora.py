"""Real shards with known answers; they lie where ASSAY_CORPORA says, not in the repository."""

import hashlib
import os
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import assay
from assay.corpus.tokenizer import load_tokenizer
from assay.formats.audit import Audit
from assay.formats.bins import Bins

CORPORA = os.environ.get("ASSAY_CORPORA", "")
pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not CORPORA, reason="ASSAY_CORPORA names no folder of corpora"),
]
SHARDS = Path(CORPORA) / "shards"
SIX = [
    SHARDS / f"{name}.parquet"
    for name in (
        "fineweb-legal",
        "wikinews",
        "powershell-docs",
        "enwiki-000",
        "enwiki-001",
        "enwiki-002",
    )
]


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return assay.audit_shards(SIX, tmp_path_factory.mktemp("six") / "audit")


@pytest.fixture(scope="module")
def raw_and_clean(six: Audit) -> tuple[Bins, Bins]:
    folder = six.folder.parent
    raw = assay.prepare_bins(six.folder, folder / "raw", drop="none", val_share=0.1)
    clean = assay.prepare_bins(
        six.folder, folder / "clean", drop="exact,near,leaked", val_share=0.1
    )
    return raw, clean


def test_fineweb_legal_has_its_known_counts(tmp_path: Path) -> None:
    totals = assay.audit_shards([SHARDS / "fineweb-legal.parquet"], tmp_path / "a").manifest.totals

    assert totals["documents"] == 4_483
    assert totals["exact"]["documents"] == 2_533
    assert totals["tokens"] == 6_979_085
    assert totals["shards"][0]["mismatches"] == 0


def test_exactly_the_corrupted_token_counts_are_named(tmp_path: Path) -> None:
    table = pq.read_table(SHARDS / "fineweb-legal.parquet")
    counts = table["token_count"].to_numpy().copy()
    wrong = np.sort(np.random.default_rng(0).choice(counts.size, counts.size // 100, replace=False))
    counts[wrong] += 7
    column = table.column_names.index("token_count")
    pq.write_table(table.set_column(column, "token_count", [counts]), tmp_path / "s.parquet")

    audit = assay.audit_shards([tmp_path / "s.parquet"], tmp_path / "a")

    rows = audit.read("documents").filter(
        pl.col("stored_tokens") != pl.col("tokens").cast(pl.Int64)
    )
    assert rows["row"].to_list() == wrong.tolist()
    assert audit.manifest.totals["shards"][0]["mismatches"] == wrong.size == 44


def test_every_shard_has_the_tokens_that_it_says(tmp_path: Path) -> None:
    audit = assay.audit_shards([SHARDS], tmp_path / "a")

    for shard in audit.manifest.totals["shards"]:
        stored = pq.read_table(shard["name"], columns=["token_count"])["token_count"]
        assert shard["tokens"] == sum(stored.to_pylist()), shard["name"]
    assert len(audit.manifest.totals["shards"]) == 12


@pytest.mark.parametrize("name", ["powershell-docs", "wikinews"])
def test_gold_pairs_are_found_with_their_jaccard(name: str, tmp_path: Path) -> None:
    gold = pl.read_parquet(Path(CORPORA) / "labelled" / f"{name}_gold_j50.parquet")
    gold = gold.filter((pl.col("jaccard_word5") >= 0.8) & (pl.col("jaccard_word5") < 1.0))
    audit = assay.audit_shards([SHARDS / f"{name}.parquet"], tmp_path / "a")
    found = {
        frozenset((a, b)): value
        for a, b, value in audit.read("pairs").select("id_a", "id_b", "jaccard").iter_rows()
    }

    wanted = [(frozenset((a, b)), value) for a, b, value in gold.iter_rows()]
    hits = [(found[pair], value) for pair, value in wanted if pair in found]

    assert len(hits) >= 0.98 * len(wanted)
    close = sum(abs(ours - theirs) <= 0.02 for ours, theirs in hits)
    assert close >= 0.99 * len(hits)


def test_bins_have_the_length_of_their_documents(raw_and_clean: tuple[Bins, Bins]) -> None:
    for bins in raw_and_clean:
        for split in ("train", "val"):
            totals = bins.manifest.totals[split]
            assert bins.map_ids(split).size == totals["tokens"] + totals["documents"]


def test_raw_and_clean_hold_out_the_same_documents(raw_and_clean: tuple[Bins, Bins]) -> None:
    raw, clean = (bins.read_documents("val") for bins in raw_and_clean)

    assert raw.equals(clean)
    assert raw.height > 2_000
    assert np.array_equal(*(bins.map_ids("val") for bins in raw_and_clean))


def test_a_thousand_random_documents_decode_to_their_text(
    raw_and_clean: tuple[Bins, Bins],
) -> None:
    tokenizer = load_tokenizer()
    texts = [pq.read_table(path, columns=["text"])["text"] for path in SIX]
    bins = raw_and_clean[1]
    for split, number in (("train", 900), ("val", 100)):
        documents = bins.read_documents(split)
        ids = bins.map_ids(split)
        for row in documents.sample(number, seed=1).iter_rows(named=True):
            assert ids[row["end"] - 1] == bins.end_of_text
            text = tokenizer.decode(ids[row["start"] : row["end"] - 1]).decode()
            assert text == texts[row["shard"]][row["row"]].as_py()


def test_plain_memmap_loop_reads_the_bins(raw_and_clean: tuple[Bins, Bins]) -> None:
    for bins in raw_and_clean:
        data = np.memmap(bins.folder / "train.bin", dtype=np.uint16, mode="r")
        starts = np.random.default_rng(0).integers(0, len(data) - 1024, 200)
        batch = np.stack([data[start : start + 1024].astype(np.int64) for start in starts])
        assert int(batch.max()) <= 50_256
        assert int(data.max()) == 50_256


def test_another_thread_count_gives_the_same_bytes(
    six: Audit, raw_and_clean: tuple[Bins, Bins], tmp_path: Path
) -> None:

    again = assay.audit_shards(SIX, tmp_path / "audit", threads=1)
    bins = assay.prepare_bins(
        again.folder, tmp_path / "clean", drop="exact,near,leaked", val_share=0.1, threads=1
    )

    assert again.manifest.outputs == six.manifest.outputs
    assert bins.manifest.outputs == raw_and_clean[1].manifest.outputs
    train = hashlib.sha256((bins.folder / "train.bin").read_bytes()).hexdigest()
    assert train == bins.manifest.outputs[0].sha256


def test_no_pair_lies_across_the_split_of_a_prepared_dataset(
    raw_and_clean: tuple[Bins, Bins], tmp_path: Path
) -> None:
    for index, bins in enumerate(raw_and_clean):
        audit = assay.audit_shards([bins.folder], tmp_path / f"again-{index}")

        leaks = audit.manifest.totals["leaks"]
        assert leaks["val_documents"] == bins.manifest.totals["val"]["documents"]
        assert (leaks["exact"], leaks["near"]) == (0, 0)
        assert audit.read("leaks").height == 0
