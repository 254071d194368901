"""How many near duplicates are found, and whether what is said of them is true."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import assay
from assay.formats.audit import Audit
from tests.twins import audit as reference

CORPORA = os.environ.get("ASSAY_CORPORA", "")
NUM_PLANTED = 5_000


def make_text(rng: np.random.Generator, num_words: int) -> str:
    """Make a text of words drawn as a language does: few often, most seldom."""
    return " ".join(f"w{int(n)}" for n in rng.zipf(1.3, num_words) % 50_000)


def edit_text(rng: np.random.Generator, text: str, jaccard: float) -> str:
    """Replace words until about `jaccard` of the shingles are left: each takes five."""
    words = text.split()
    num_edits = max(1, round(len(words) * (1 - jaccard) / (5 * (1 + jaccard))))
    for place in rng.choice(len(words), num_edits, replace=False):
        words[int(place)] = f"edit{int(rng.integers(1 << 40))}"
    return " ".join(words)


def plant_pairs(folder: Path) -> tuple[list[str], Path]:
    """Write texts and, 5,000 places later, a copy of each, its Jaccard spread over 0.8 to 1."""
    rng = np.random.default_rng(7)
    texts = [make_text(rng, int(n)) for n in rng.integers(100, 400, NUM_PLANTED)]
    wanted = rng.uniform(0.79, 1.0, NUM_PLANTED)
    texts += [edit_text(rng, text, j) for text, j in zip(texts, wanted, strict=True)]
    path = folder / "planted.parquet"
    pq.write_table(pa.table({"text": texts}), path, row_group_size=1000)
    return texts, path


def read_pairs(audit: Audit) -> dict[tuple[int, int], float]:
    """Read verified pairs by row, identical texts left out."""
    near = audit.read("pairs").filter(pl.col("kind") == "near")
    return {(a, b): j for a, b, j in near.select("row_a", "row_b", "jaccard").iter_rows()}


@pytest.mark.long
def test_planted_pairs_are_found_with_their_true_jaccard(tmp_path: Path) -> None:
    texts, path = plant_pairs(tmp_path)
    sets = [set(reference.shingles(text)) for text in texts]
    true = {
        (row, row + NUM_PLANTED): reference.jaccard(sets[row], sets[row + NUM_PLANTED])
        for row in range(NUM_PLANTED)
    }
    wanted = {pair: value for pair, value in true.items() if 0.8 <= value < 1}

    found = read_pairs(assay.audit_shards([path], tmp_path / "audit"))

    assert len(wanted) > 4_500
    hits = wanted.keys() & found.keys()
    assert len(hits) >= 0.98 * len(wanted), f"{len(hits)} of {len(wanted)}"
    assert all(abs(found[pair] - wanted[pair]) <= 1e-9 for pair in hits)
    assert all(true.get(pair, 0.0) >= 0.8 for pair in found)


def test_a_copy_of_a_near_copy_leaks_too(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    text = make_text(rng, 300)
    near = edit_text(rng, text, 0.9)
    same_words = near.replace(" ", "  ")  # other bytes, the same shingles
    pq.write_table(pa.table({"text": [text, make_text(rng, 200)]}), tmp_path / "train.parquet")
    pq.write_table(pa.table({"text": [near, same_words]}), tmp_path / "val.parquet")

    audit = assay.audit_shards(
        [tmp_path / "train.parquet"], tmp_path / "audit", val=[tmp_path / "val.parquet"]
    )

    leaks = audit.read("leaks")
    assert leaks["val_row"].to_list() == [0, 1]
    assert leaks["train_row"].to_list() == [0, 0]
    assert leaks["tier"].to_list() == ["near", "near"]


@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.skipif(not CORPORA, reason="ASSAY_CORPORA names no folder of corpora")
def test_pairs_of_real_documents_are_those_of_an_exhaustive_search(tmp_path: Path) -> None:
    path = Path(CORPORA) / "shards" / "powershell-docs.parquet"
    texts = pq.read_table(path, columns=["text"])["text"].to_pylist()
    first: dict[str, int] = {}
    firsts = [row for row, text in enumerate(texts) if first.setdefault(text, row) == row]
    exhaustive = {
        (firsts[a], firsts[b]): value
        for (a, b), value in reference.exhaustive_pairs([texts[r] for r in firsts], 0.8).items()
    }

    found = read_pairs(assay.audit_shards([path], tmp_path / "audit"))

    assert all(pair in exhaustive for pair in found), "a pair that is none"
    assert all(abs(value - exhaustive[pair]) <= 1e-9 for pair, value in found.items())
    between = {pair: value for pair, value in exhaustive.items() if value < 1}
    missed = sorted((value, pair) for pair, value in between.items() if pair not in found)
    print(f"{len(between)} pairs with 0.8 <= J < 1, missed: {missed}")
    assert len(missed) <= 0.02 * len(between)
    same = {pair for pair, value in exhaustive.items() if value == 1}
    clusters = assay.open_audit(tmp_path / "audit").read("documents")["cluster"].to_list()
    assert all(clusters[a] == clusters[b] for a, b in same)
