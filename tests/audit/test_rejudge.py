"""An audit judged again at another threshold is the one that a scan with it would have made."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.audit.rejudge import rejudge_audit
from assay.audit.run import audit_shards
from assay.cli import run
from assay.errors import UsageError
from assay.formats.audit import Audit, open_audit
from assay.formats.findings import Finding
from assay.prepare.run import prepare_bins
from bench.made_clusters import make_clusters
from tests.support.linked_texts import (
    list_files,
    make_chain,
    make_families,
    make_star,
    vary_texts,
)
from tests.support.make import make_corpus, write_shard

SEALED = Path(__file__).parent.parent / "data"
THRESHOLDS = (0.85, 0.9, 0.95)
PLAN = "--params 1M --batch-tokens 8192 --iters 50"
OTHER_PLAN = "--params 3M --batch-tokens 64 --iters 9"

MADE = {
    "chains": vary_texts([*make_chain(40), *make_chain(60, "v", 90, 2)], 1),
    "stars": vary_texts([*make_star(40), *make_star(30, "r", 30)], 2),
    "large buckets": vary_texts(make_families(420, 3), 3),
    "a corpus": make_corpus(150, seed=4),
}


RECALL = {"near_recall", "near_recall_interval", "near_clusters", "near_clusters_left_out"}
NGRAMS = {"leak", "leak_spans", "shared_ngrams", "boilerplate"}


def check_equal(found: Audit, fresh: Audit) -> None:
    """Compare every file, figure and setting; of the manifest all but its parents.

    Where the shards would have to be read, to propose pairs again or to look for n-grams, what that
    tells is not measured.
    """
    ours, theirs = list_files(found.folder), list_files(fresh.folder)
    one, other = found.manifest.totals, fresh.manifest.totals
    parts = ("settings", "inputs", "tokenizer", "word_rule")
    assert [getattr(found.manifest, part) for part in parts] == [
        getattr(fresh.manifest, part) for part in parts
    ]
    has_recall = one["lsh"] == other["lsh"]
    has_ngrams = "spans" in one["leaks"] or not one["leaks"]["val_documents"]
    unmeasured = ({"near_recall"} if not has_recall else set()) | (set() if has_ngrams else NGRAMS)
    files = set() if has_ngrams else {"leaks.parquet", "spans.parquet"}
    files |= {"findings.json"} if unmeasured else set()
    assert {name for name in ours | theirs if ours.get(name) != theirs.get(name)} <= files
    assert {name for name in other if one[name] != other[name]} <= {
        *([] if has_recall else ["lsh"]),
        *([] if has_ngrams else ["leaks"]),
    }
    assert {name for name in other["lsh"] if one["lsh"][name] != other["lsh"][name]} <= RECALL
    if not has_recall:
        assert [one["lsh"][name] for name in sorted(RECALL)] == [0, 0, None, None]
    if not unmeasured:
        assert found.manifest.outputs == fresh.manifest.outputs
    assert [one["leaks"][tier] for tier in ("val_documents", "exact", "near")] == [
        other["leaks"][tier] for tier in ("val_documents", "exact", "near")
    ]
    findings = [{f.name: f for f in audit.read_findings()} for audit in (found, fresh)]
    for name in findings[0] | findings[1]:
        if name in unmeasured:
            assert findings[0][name].level == "unmeasured"
        else:
            assert findings[0][name] == findings[1][name]
    copies = fresh.read("leaks").filter(pl.col("tier").is_in(("exact", "near")))
    names = ["val_row", "train_row", "tier", "jaccard"]
    ours_too = found.read("leaks").filter(pl.col("tier").is_in(("exact", "near")))
    assert ours_too.select(names).equals(copies.select(names))


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("with_val", [False, True])
def test_every_figure_and_row_is_that_of_a_new_audit(
    tmp_path: Path, name: str, with_val: bool
) -> None:
    texts = MADE[name]
    cut = len(texts) * 3 // 4 if with_val else len(texts)
    shards = [write_shard(tmp_path / "a.parquet", texts[:cut])]
    val = [write_shard(tmp_path / "v.parquet", texts[cut:])] if with_val else []
    source = audit_shards(shards, tmp_path / "source", val=val)
    assert (source.totals.pairs.joined, source.totals.pairs.uncompared) == (0, 0)

    for threshold in (*THRESHOLDS, 1.0, 0.8):
        fresh = audit_shards(shards, tmp_path / f"new{threshold}", val=val, threshold=threshold)
        found = rejudge_audit(source, tmp_path / f"found{threshold}", threshold=threshold)

        check_equal(found, fresh)


@pytest.mark.parametrize("options", [{}, {"drop": "none"}, {"keep": "first"}, {"val_tokens": 900}])
def test_bins_at_a_threshold_are_those_of_a_new_audit(
    tmp_path: Path, options: dict[str, object]
) -> None:
    shard = write_shard(tmp_path / "a.parquet", [*MADE["chains"], *MADE["stars"]])
    source = audit_shards(shard, tmp_path / "source")

    for threshold in THRESHOLDS:
        fresh = audit_shards(shard, tmp_path / f"new{threshold}", threshold=threshold)
        ours = prepare_bins(source, tmp_path / f"bins{threshold}", threshold=threshold, **options)
        theirs = prepare_bins(fresh, tmp_path / f"theirs{threshold}", **options)

        assert list_files(ours.folder) == list_files(theirs.folder)
        assert ours.totals == theirs.totals


def test_another_road_to_a_threshold_is_the_same(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", MADE["chains"])
    source = audit_shards(shard, tmp_path / "source", threshold=0.7)

    straight = rejudge_audit(source, tmp_path / "straight", threshold=0.9)
    by_way = rejudge_audit(
        rejudge_audit(source, tmp_path / "way", threshold=0.8), tmp_path / "by-way", threshold=0.9
    )

    check_equal(by_way, straight)


def test_a_plan_is_compared_anew(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", MADE["stars"])
    source = audit_shards(
        shard, tmp_path / "source", plan="--params 3M --batch-tokens 64 --iters 9"
    )

    found = rejudge_audit(source, tmp_path / "found", threshold=0.9, plan=PLAN)
    fresh = audit_shards(shard, tmp_path / "fresh", threshold=0.9, plan=PLAN)
    bare = rejudge_audit(source, tmp_path / "bare", threshold=0.9)

    check_equal(found, fresh)
    assert "budget" not in bare.manifest.totals


def test_near_recall_is_not_measured_at_another_threshold(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", make_clusters(1, ("star", "chain")))
    source = audit_shards(shard, tmp_path / "source")
    fresh = audit_shards(shard, tmp_path / "fresh", threshold=0.85)

    same = rejudge_audit(source, tmp_path / "same")
    found = rejudge_audit(source, tmp_path / "found", threshold=0.85)

    check_equal(same, source)
    check_equal(found, fresh)
    told = [audit_findings(each.folder)["near_recall"] for each in (source, same, fresh, found)]
    assert [finding.level for finding in told] == ["info"] * 3 + ["unmeasured"]
    assert told[3].sentence.startswith("not measured: it takes the shards")
    assert told[3].action == "audit the shards with --threshold 0.85"
    assert found.totals.lsh.planted == fresh.totals.lsh.planted
    assert found.totals.lsh.planted_documents == fresh.totals.lsh.planted_documents > 0


def test_documents_that_cannot_be_told_stay_so(tmp_path: Path) -> None:
    ids = np.random.default_rng(1).integers(1, 40_000, 6_000).astype(np.uint16)
    ids.tofile(tmp_path / "train.bin")
    ids[2_000:4_000].tofile(tmp_path / "val.bin")
    bins = [tmp_path / "train.bin", tmp_path / "val.bin"]
    source = audit_shards(bins, tmp_path / "source", plan=PLAN)

    found = rejudge_audit(source, tmp_path / "found", threshold=0.9, plan=PLAN)

    fresh = audit_shards(bins, tmp_path / "fresh", threshold=0.9, plan=PLAN)
    assert found.totals.undivided
    assert found.totals.val.tokens == 2_000
    check_equal(found, fresh)
    assert rejudge_audit(source, tmp_path / "found", threshold=0.9, plan=PLAN).totals == (
        found.totals
    )


@pytest.mark.long
def test_what_was_left_uncompared_makes_a_lower_bound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_shard(tmp_path / "a.parquet", make_families(1_100, 5))
    source = audit_shards(tmp_path / "a.parquet", tmp_path / "source")
    left = source.totals.pairs.joined
    command = ["audit", "--from", str(source.folder), "--threshold", "0.9"]

    assert run([*command, "-o", str(tmp_path / "found")]) == 0
    told = capsys.readouterr()
    same = rejudge_audit(source, tmp_path / "same")
    bins = ["prepare", str(source.folder), "--threshold", "0.9", "--dry-run"]
    assert run(bins) == 0

    found = audit_findings(tmp_path / "found")
    assert left > 0
    assert "lower bound" in told.err
    assert f"{left:,} candidate pairs were not compared" in found["near_uncompared"].sentence
    assert found["near_uncompared"].level == "medium"
    assert same.totals == source.totals
    assert "lower bound" in capsys.readouterr().err


def audit_findings(folder: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in open_audit(folder).read_findings()}


@pytest.mark.parametrize("threshold", ["0.75", "0.5", "0", "1.5", "-1", "nan"])
@pytest.mark.parametrize("verb", ["audit", "prepare"])
def test_a_threshold_below_the_floor_or_out_of_range_is_refused(
    tmp_path: Path, threshold: str, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = write_shard(tmp_path / "a.parquet", MADE["a corpus"])
    source = str(audit_shards(shard, tmp_path / "source").folder)
    named = ["--from", source] if verb == "audit" else [source]

    code = run([verb, *named, "--threshold", threshold, "-o", str(tmp_path / "out")])

    lines = capsys.readouterr().err.splitlines()
    assert code == 2
    assert len(lines) == 1
    assert "--threshold" in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("version", ["sealed_0_1", "sealed_0_2"])
def test_an_audit_of_an_earlier_version_is_refused_with_the_command(
    tmp_path: Path, version: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(SEALED / version / "audit", tmp_path / "old")

    for words in (["audit", "--from", str(tmp_path / "old")], ["prepare", str(tmp_path / "old")]):
        assert run([*words, "--threshold", "0.9", "-o", str(tmp_path / "new")]) == 2

        (line,) = capsys.readouterr().err.splitlines()
        assert "assay audit SHARDS -o DIR --threshold 0.9" in line


def test_one_by_component_is_refused(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "a.parquet", MADE["stars"])
    source = audit_shards(shard, tmp_path / "source", near="component")

    with pytest.raises(UsageError, match="by component"):
        rejudge_audit(source, tmp_path / "found", threshold=0.9)


@pytest.mark.parametrize("given", [["--bands", "4"], ["--preset", "datasketch"], ["SHARD"]])
def test_what_an_audit_was_made_with_is_not_chosen_again(
    tmp_path: Path, given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shard = write_shard(tmp_path / "a.parquet", MADE["a corpus"])
    source = audit_shards(shard, tmp_path / "source")
    given = [str(shard) if word == "SHARD" else word for word in given]

    code = run(["audit", "--from", str(source.folder), *given, "-o", str(tmp_path / "out")])

    assert code == 2
    assert "leave out" in capsys.readouterr().err
    assert run(["audit", "-o", str(tmp_path / "out")]) == 2  # neither shards nor an audit


def test_the_same_command_prints_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = write_shard(tmp_path / "a.parquet", MADE["a corpus"])
    source = audit_shards(shard, tmp_path / "source")
    command = ["audit", "--from", str(source.folder), "--threshold", "0.9", "--fail-on", "exact>1%"]
    command += ["-o", str(tmp_path / "out")]

    assert run(command) == 1
    first = capsys.readouterr()
    assert run(command) == 1
    again = capsys.readouterr()

    assert again.out == first.out
    assert "nothing was judged again" in again.err
    for token in (tmp_path / "out" / "tokens").iterdir():
        assert token.stat().st_ino == (source.folder / "tokens" / token.name).stat().st_ino
