"""A document goes only if it repeats one that stays: as by comparing all texts, in their order."""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.audit.run import audit_shards
from assay.formats.audit import Audit
from assay.prepare.run import prepare_bins
from tests.support.linked_texts import (
    find_keepers,
    list_files,
    make_chain,
    make_families,
    make_star,
    read_keepers,
    vary_texts,
)
from tests.support.make import write_shard
from tests.twins import audit as reference

CORPORA = os.environ.get("ASSAY_CORPORA", "")


def audit(folder: Path, texts: list[str], name: str = "audit", **settings: object) -> Audit:
    shard = write_shard(folder / "texts.parquet", texts)
    return audit_shards(shard, folder / name, **settings)


def count_unique(audit: Audit, texts: list[str], keepers: list[int]) -> float:
    tokens = audit.read("documents")["tokens"].to_list()
    sets = [set(reference.shingles(text)) for text in texts]
    return sum(
        tokens[i]
        * (1 if i == k else 1 - max(reference.jaccard(sets[i], sets[k]), texts[i] == texts[k]))
        for i, k in enumerate(keepers)
    )


MADE = {
    "chain": make_chain(40),
    "long chain": make_chain(120, words=80, step=3),
    "star": make_star(60),
    "both": vary_texts([*make_chain(30), *make_star(30), *make_chain(25, "v", 60, 2)], 1),
    "large bucket": vary_texts(make_families(400, 2), 2),
}


@pytest.mark.parametrize("name", MADE)
def test_what_stays_is_what_comparing_all_texts_leaves(tmp_path: Path, name: str) -> None:
    texts = MADE[name]

    found = audit(tmp_path, texts)

    keepers = find_keepers(found, texts)
    assert read_keepers(found) == keepers
    assert found.totals.unique_tokens == round(count_unique(found, texts, keepers))
    documents = found.read("documents")
    near = documents.filter(~documents["keeper"])["keeper_jaccard"]
    assert (near >= 0.8).all()
    assert found.read("clusters")["keepers"].sum() == found.totals.clusters.keepers


@pytest.mark.long
def test_of_a_cluster_over_a_thousand_texts_the_same_stay(tmp_path: Path) -> None:
    texts = make_families(1_100, 3)

    found = audit(tmp_path, texts)

    assert found.totals.clusters.largest > 1_000
    assert found.totals.pairs.joined > 0  # not all were compared
    assert read_keepers(found) == find_keepers(found, texts)


def test_of_a_chain_all_stay_that_repeat_none_that_stays(tmp_path: Path) -> None:
    """In the order of the shard eight of forty; by component one."""
    texts = make_chain(40)
    found = audit(tmp_path, texts)

    bins = prepare_bins(found, tmp_path / "bins", drop="near", keep="first")
    by_component = audit(tmp_path, texts, "component", near="component")

    kept = sorted(bins.read_documents("train")["row"].to_list())
    assert kept == [0, 5, 10, 15, 20, 25, 30, 35]
    assert found.totals.near.documents == 40 - sum(
        k == i for i, k in enumerate(find_keepers(found, texts))
    )
    assert by_component.totals.near.documents == 39
    assert by_component.totals.clusters.chained > 20


def test_threads_change_no_byte(tmp_path: Path) -> None:
    texts = vary_texts([*make_families(300, 4), *make_chain(40)], 4)

    one, two = (audit(tmp_path, texts, f"by-{n}", threads=n).folder for n in (1, 2))

    assert list_files(one) == list_files(two)


@pytest.mark.parametrize("near", ["keeper", "component"])
def test_train_is_judged_among_its_own_documents(tmp_path: Path, near: str) -> None:
    """Val has longer near duplicates: they count against train no more than if they were not."""
    chain = make_chain(60, words=100, step=4)
    train = write_shard(tmp_path / "train.parquet", [*chain[::2], *make_star(20)])
    longer = [f"{text} and some more" for text in chain]
    val = write_shard(tmp_path / "val.parquet", [*chain[1::2], *longer])

    alone = audit_shards(train, tmp_path / "alone", near=near)
    beside = audit_shards(train, tmp_path / "beside", val=val, near=near)
    bins = prepare_bins(beside, tmp_path / "bins", drop="none")

    assert beside.totals.leaks.near > 0
    assert alone.totals.unique_tokens < alone.totals.tokens
    expected = alone.totals.train_unique_tokens
    assert (alone.totals.unique_tokens, beside.totals.train_unique_tokens) == (expected, expected)
    if near == "keeper":
        assert bins.totals.train.unique_tokens == expected
        dropped = prepare_bins(beside, tmp_path / "dropped", drop="exact,near").totals.train
        kept = sum(k == i for i, k in enumerate(read_keepers(alone)))
        assert (dropped.documents, dropped.unique_tokens) == (kept, dropped.tokens)


def test_a_copy_of_a_near_duplicate_goes_for_one_that_is_kept(tmp_path: Path) -> None:
    text = make_star(1)
    texts = [text[1], text[0], text[1], "another text that has nothing to do with them at all"]

    for near in ("keeper", "component"):
        found = audit(tmp_path, texts, near, near=near)
        bins = prepare_bins(found, tmp_path / f"bins-{near}", drop="exact,near", keep="longest")

        kept = set(bins.read_documents("train").select("shard", "row").rows())
        dropped = pq.read_table(bins.folder / "dropped.parquet").to_pylist()
        assert len(dropped) == 2
        assert {(row["because_shard"], row["because_row"]) for row in dropped} <= kept


@pytest.mark.corpora
@pytest.mark.slow
@pytest.mark.skipif(not CORPORA, reason="ASSAY_CORPORA names no folder of corpora")
@pytest.mark.parametrize(("name", "missed"), [("powershell-docs", 1), ("wikinews", 0)])
def test_what_stays_of_real_documents(tmp_path: Path, name: str, missed: int) -> None:
    """Near duplicates are a lower bound: a pair that no band proposes, nor a cluster, is missed."""
    path = Path(CORPORA) / "shards" / f"{name}.parquet"
    texts = pq.read_table(path, columns=["text"])["text"].to_pylist()

    found = audit_shards(path, tmp_path / "audit")

    stays, expected = (
        {i for i, k in enumerate(keepers) if i == k}
        for keepers in (read_keepers(found), find_keepers(found, texts))
    )
    assert expected <= stays
    assert len(stays - expected) == missed
