"""Leaks are those that comparing every validation text with every training text finds."""

from pathlib import Path

import polars as pl
import pytest

from assay.audit.run import audit_shards
from assay.audit.scan.settings import AuditSettings
from tests.support.make import make_texts, write_shard
from tests.twins import audit as reference

SETTINGS = AuditSettings(threshold=0.6, bands=32, rows=2)


def find_leaks(train: list[str], val: list[str]) -> list[tuple[int, str, float, int]]:
    """(val row, tier, Jaccard, train row): an exact copy, else the nearest text, the first such."""
    sets = [set(reference.shingles(text)) for text in train]
    leaks = []
    for row, text in enumerate(val):
        if text and text in train:
            leaks.append((row, "exact", 1.0, train.index(text)))
            continue
        own = set(reference.shingles(text))
        alike = [
            (reference.jaccard(own, other), -place)
            for place, other in enumerate(sets)
            if train.index(train[place]) == place
        ]
        best, place = max(alike)
        if best >= SETTINGS.minhash.threshold:
            leaks.append((row, "near", best, -place))
    return leaks


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_leaks_equal_those_of_an_exhaustive_search(tmp_path: Path, seed: int) -> None:
    train = [*make_texts(40, seed, words=50), ""]
    train += train[:5]
    val = [*make_texts(12, seed + 100, words=50), "", *train[3:6]]
    val += [f"{text} and more" for text in train[10:16]]
    val += [f"{text} and more" for text in train[10:12]]
    write_shard(tmp_path / "train.parquet", train)
    write_shard(tmp_path / "val.parquet", val)

    audit = audit_shards(
        [tmp_path / "train.parquet"],
        tmp_path / "audit",
        val=[tmp_path / "val.parquet"],
        settings=SETTINGS,
    )

    leaks = audit.read("leaks").select("val_row", "tier", "jaccard", "train_row").rows()
    expected = find_leaks(train, val)
    assert len(expected) >= 9
    assert leaks == expected
    counted = audit.manifest.totals["leaks"]
    tiers = audit.read("leaks").group_by("tier").agg(pl.len()).rows()
    assert {"exact": counted["exact"], "near": counted["near"]} == dict(tiers)
    assert counted["val_documents"] == len(val)
