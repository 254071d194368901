"""An audit is the same for any threads, row groups and order of shards, on real documents too."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

from assay.audit.minhash.permutations import make_permutations
from assay.audit.minhash.sign import sign_texts
from assay.audit.run import audit_shards
from assay.text.shingling import Shingling
from tests.support.make import make_corpus, write_shard
from tests.support.shingles import list_document
from tests.twins import audit as reference


def read_texts(most: int) -> list[str]:
    """Real documents where the corpora are, made ones elsewhere."""
    corpora = os.environ.get("ASSAY_CORPORA")
    if not corpora:
        return make_corpus(min(most, 400), seed=2)
    texts: list[str] = []
    for name in ("powershell-docs", "cc-raw-2024-26-sample", "dclm-labelled", "wikinews"):
        column = pq.read_table(f"{corpora}/shards/{name}.parquet", columns=["text"])["text"]
        texts += column.slice(0, most // 3).to_pylist()
    return texts[:most]


def digest(folder: Path, texts: list[str]) -> dict[str, Any]:
    """What an audit says of each text, whatever its place: keepers, clusters, leaks, totals."""
    documents = pl.read_parquet(folder / "documents.parquet")
    of = [texts[int(label)] for label in documents["id"].to_list()]
    clusters: dict[int, list[str]] = {}
    for text, cluster in zip(of, documents["cluster"].to_list(), strict=True):
        clusters.setdefault(cluster, []).append(text)
    pairs = pl.read_parquet(folder / "pairs.parquet").filter(pl.col("kind") == "near")
    named = [
        (*sorted((texts[int(a)], texts[int(b)])), jaccard)
        for a, b, jaccard in pairs.select("id_a", "id_b", "jaccard").iter_rows()
    ]
    totals = json.loads((folder / "manifest.json").read_text())["totals"]
    return {
        "clusters": sorted(sorted(members) for members in clusters.values()),
        "keepers": sorted(text for text, kept in zip(of, documents["keeper"], strict=True) if kept),
        "pairs": sorted(named),
        "lsh": totals["lsh"],
        "unique": totals["unique_tokens"],
        "near": totals["near"],
        "exact": totals["exact"],
    }


def audit(folder: Path, name: str, parts: list[list[int]], texts: list[str], **how: int) -> Path:
    (folder / f"of-{name}").mkdir()
    shards = [
        write_shard(
            folder / f"of-{name}" / f"{place}.parquet",
            [texts[index] for index in part],
            id=[str(index) for index in part],
            row_group_size=how.get("group", 1000),
        )
        for place, part in enumerate(parts)
    ]
    audit_shards(shards, folder / name, threads=how.get("threads", 1))
    return folder / name


@pytest.mark.long
def test_threads_and_row_groups_change_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = read_texts(900)
    places = list(range(len(texts)))
    halves = [places[: len(texts) // 2], places[len(texts) // 2 :]]

    one = audit(tmp_path, "one", halves, texts)

    for how in ({"threads": 2}, {"threads": 4}, {"group": 1}, {"group": 100, "threads": 2}):
        unit = 20_000 if "group" in how else 4_000_000  # small row groups are read some at a time
        monkeypatch.setattr("assay.corpus.readers.parquet._UNIT_BYTES", unit)
        other = audit(tmp_path, "-".join(map(str, how.items())), halves, texts, **how)
        for name in ("documents", "pairs", "clusters", "leaks", "spans"):
            file = f"{name}.parquet"
            assert (one / file).read_bytes() == (other / file).read_bytes(), (how, name)
        assert (one / "findings.json").read_bytes() == (other / "findings.json").read_bytes()
        for tokens in sorted((one / "tokens").iterdir()):
            assert tokens.read_bytes() == (other / "tokens" / tokens.name).read_bytes()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_shards_changes_nothing_but_places(tmp_path: Path, seed: int) -> None:
    texts = read_texts(900)
    generator = np.random.default_rng(seed)
    parts = [part.tolist() for part in np.array_split(np.arange(len(texts)), 5)]
    shuffled = [parts[index] for index in generator.permutation(5).tolist()]

    ordered = audit(tmp_path, "ordered", parts, texts, threads=2)
    other = audit(tmp_path, "other", shuffled, texts, threads=2)

    assert digest(ordered, texts) == digest(other, texts)


@pytest.mark.corpora
@pytest.mark.skipif(not os.environ.get("ASSAY_CORPORA"), reason="ASSAY_CORPORA names no corpora")
def test_signatures_of_ten_thousand_real_documents_equal_those_of_datasketch() -> None:
    corpora = os.environ["ASSAY_CORPORA"]
    texts = [
        text
        for name in ("wikinews", "powershell-docs", "c4-sample", "cc-raw-2024-26-sample")
        for text in pq.read_table(f"{corpora}/shards/{name}.parquet")["text"].to_pylist()
        if text and len(text) < 4000
    ][:10_000]
    encoded = [text.encode() for text in texts]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)])

    signed = sign_texts(data, offsets, make_permutations(128))

    assert len(texts) == 10_000
    for index in range(len(texts)):
        hashes = np.unique(list_document(encoded[index], Shingling())).tolist()
        assert np.array_equal(signed.signature_NP[index], reference.signature(hashes)), index
