"""The benchmarks' own arithmetic: a figure that is computed wrongly is worse than none."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import assay
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import SchemeName
from assay.corpus.gpt2_ranks import load_gpt2_ranks
from bench import (
    accuracy,
    edited_pairs,
    gold,
    measure,
    peer_shingles,
    run,
    table,
    venvs,
)
from bench.checks import Check, report_checks
from bench.detection import diverge, find_share
from bench.measure import Measurement
from bench.peers import list_peers
from bench.recall import READERS, Recall
from bench.signers import find_signer
from bench.split_seeds import split_seeds
from tests.support.make import make_texts
from tests.twins import audit as reference

RUN = Measurement(
    name="",
    command=(),
    seconds=1,
    cpu_seconds=1,
    peak_mb=100,
    peak_pss_mb=0,
    num_processes=1,
    watch_seconds=0,
    log="",
)
linux = pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux's /proc")


def make_round(**seconds: float) -> dict[str, Measurement]:
    names = {name.replace("_", " "): value for name, value in seconds.items()}
    return {name: replace(RUN, name=name, seconds=value) for name, value in names.items()}


def test_ratios_are_of_one_round_and_leave_out_what_did_not_run() -> None:
    first = make_round(assay_audit=2, assay_prepare=1, nanogpt=10) | {
        "text-dedup": replace(RUN, seconds=20)
    }
    second = make_round(assay_audit=4, assay_prepare=1) | {"text-dedup": replace(RUN, seconds=20)}

    ratios = table.compute_ratios([first, second])

    assert ratios == {
        "text-dedup / assay audit": [10, 5],
        "text-dedup + nanogpt / assay audit + prepare": [10],
    }


def test_the_table_of_times_has_a_tool_that_ran_in_one_round_alone() -> None:
    rounds = [make_round(assay_audit=2, rensa=4), make_round(assay_audit=3)]

    lines = table.format_times(rounds, 100).splitlines()

    assert [line.split()[0] for line in lines[1:]] == ["assay", "rensa"]
    assert "2.50" in lines[1]
    assert "(2.00-3.00)" in lines[1]
    assert "25.0" in lines[2]


def test_recall_and_precision_come_from_counts() -> None:
    recall = Recall("t", 9, 10, 8, 5, 4, 6, 1, 12, 9, None)

    assert recall.recall == 4 / 5
    assert recall.precision == 9 / 12
    assert "0.8000" in table.format_recall([recall])


def test_a_script_that_keeps_everything_finds_no_planted_pair(tmp_path: Path) -> None:
    truth = tmp_path / "truth.parquet"
    pl.DataFrame(
        {"id_a": ["a", "c"], "id_b": ["b", "d"], "change": ["", ""], "jaccard": [0.9, 0.3]}
    ).write_parquet(truth)
    peer_shingles.write_kept(str(tmp_path), ["a", "b", "c", "d"])
    kept_all = READERS["rensa"](tmp_path, truth)
    peer_shingles.write_kept(str(tmp_path), ["a", "c"])

    kept_two = READERS["rensa"](tmp_path, truth)

    assert (kept_all.near_resolved, kept_all.recall, kept_all.unlike_removed) == (0, 0, 0)
    assert (kept_two.near_resolved, kept_two.unlike_removed, kept_two.precision) == (1, 1, 0.5)


def test_a_check_keeps_its_limit_on_both_sides(capsys: pytest.CaptureFixture[str]) -> None:
    assert Check("x", 2, 2).passed
    assert Check("x", 2, 2, at_least=False).passed
    assert not Check("x", 1.9, 2).passed
    assert not Check("x", 2.1, 2, at_least=False).passed
    assert not Check("x", float("nan"), 2, at_least=False).passed

    assert report_checks([Check("x", 2, 2), Check("y", 1, 2)]) == 1

    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["ok", "MISSED"]


def test_a_plain_run_takes_every_peer_once_and_a_chosen_one_does_not() -> None:
    plain, quick = run._parse([]).parts, run._parse(["--quick"]).parts
    chosen = run._parse(["--mb", "7", "--only", "rensa,assay", "--rounds", "2"]).parts

    assert [(part.megabytes, part.rounds) for part in plain] == [(200, 3), (50, 3)]
    assert plain[0].all_tools == ("assay", "text-dedup", "nanogpt")
    assert set(plain[1].all_tools) == set(run.TOOLS)
    assert [(p.megabytes, p.rounds, p.all_tools) for p in quick] == [
        (20, 1, ("assay", "text-dedup", "nanogpt"))
    ]
    assert [(p.megabytes, p.rounds, p.all_tools) for p in chosen] == [(7, 2, ("assay", "rensa"))]


@pytest.mark.parametrize("arguments", [["--only", "sed"], ["--mb", "0"], ["--mb", "x"]])
def test_a_wrong_option_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        run._parse(arguments)


def test_every_peer_has_pinned_requirements() -> None:
    peers = list_peers(Path("work")).values()

    for peer in peers:
        lines = (venvs.HERE / f"{peer.venv}.txt").read_text().splitlines()
        pinned = {line.split("==")[0].lower() for line in lines if "==" in line}
        assert set(peer.packages) <= pinned, peer.name
        assert all("==" in line or line.startswith("#") for line in lines), peer.name


def test_merges_give_back_the_ranks_and_every_piece_of_gpt2_has_one(tmp_path: Path) -> None:
    ranks = load_gpt2_ranks()
    parts = [venvs.split_piece(p, rank, ranks) for p, rank in ranks.items() if len(p) > 1]
    venvs.write_tokenizer_json(ranks, tmp_path / "tokenizer.json")
    written = json.loads((tmp_path / "tokenizer.json").read_text())

    assert len(parts) == 50_000
    assert all(max(ranks[a], ranks[b]) < ranks[a + b] for a, b in parts)
    assert written["model"]["merges"][0] == ["\u0120", "t"]
    assert sorted(written["model"]["vocab"].values()) == list(range(50_257))


def test_a_piece_that_is_no_merge_is_refused() -> None:
    with pytest.raises(ValueError, match="not a merge of two"):
        venvs.split_piece(b"abc", 3, {b"a": 0, b"b": 1, b"c": 2, b"abc": 3})


@linux
def test_the_peak_of_a_process_is_what_it_held_for_a_moment(tmp_path: Path) -> None:
    script = "import time; held = b'x' * 200_000_000; time.sleep(0.5); del held"

    alone = measure.measure_command(
        "alone", [sys.executable, "-c", script], folder=tmp_path, environment=os.environ
    )

    assert 200 <= alone.peak_mb < 300
    assert alone.num_processes == 1
    assert alone.seconds >= 0.5
    assert alone.peak_pss_mb == 0


@linux
def test_the_peak_of_a_tree_adds_its_processes(tmp_path: Path) -> None:
    inner = "import time; held = b'x' * 150_000_000; time.sleep(4)"
    outer = "import subprocess, sys; held = b'y' * 150_000_000"
    script = f"{outer}; subprocess.run([sys.executable, '-c', {inner!r}])"

    tree = measure.measure_command(
        "tree", [sys.executable, "-c", script], folder=tmp_path, environment=os.environ
    )

    assert tree.num_processes == 2
    assert 300 <= tree.peak_mb < 400


@linux
def test_a_failed_command_says_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such thing')"]

    with pytest.raises(RuntimeError, match="no such thing"):
        measure.measure_command("bad", command, folder=tmp_path, environment=os.environ)


def test_edited_pairs_have_the_jaccard_that_the_reference_counts() -> None:
    texts = make_texts(30, 3, words=200)

    pairs = edited_pairs.edit_pairs(texts, [0.6, 0.9])

    sets = [set(reference.shingles(text)) for text in pairs.texts]
    counted = [reference.jaccard(sets[n], sets[n + 30]) for n in range(30)]
    assert pairs.jaccard_P.tolist() == pytest.approx(counted)
    assert 0.5 < pairs.jaccard_P[0::2].mean() < 0.7 < 0.85 < pairs.jaccard_P[1::2].mean() < 0.95


def test_the_curve_and_the_errors_of_made_agreements_are_as_made() -> None:
    rng = np.random.default_rng(1)
    jaccard_P = rng.uniform(0.5, 0.99, 4_000)
    same_NP = rng.random((8_000, 128)) < np.tile(jaccard_P, 2)[:, None]

    honest = accuracy.measure_curve(same_NP, jaccard_P)
    errors = accuracy.estimate_errors(same_NP, jaccard_P)
    flattering = accuracy.estimate_errors(same_NP, jaccard_P - 0.01)
    blind = accuracy.measure_curve(same_NP & (np.arange(128) < 64), jaccard_P)

    assert max(point.num_errors for point in honest) < 4
    assert honest[0].expected == pytest.approx(
        MinHashConfig(bands=16, rows=8).detect(0.5), abs=0.02
    )
    assert abs(errors.bias) < 4 * errors.bias_error
    assert errors.rmse == pytest.approx(errors.theory, rel=0.05)
    assert flattering.bias == pytest.approx(0.01, abs=0.002)
    assert max(point.num_errors for point in blind) > 4


def test_a_signer_is_found_by_name_or_by_module() -> None:
    assert find_signer("bench.signers:make_affine32") is find_signer("affine32")
    with pytest.raises(ValueError, match="no signer"):
        find_signer("sha0")


def test_known_pairs_are_named_by_any_copy_of_their_texts(tmp_path: Path) -> None:
    base = make_texts(3, 5, words=120)
    near = base[0].replace(base[0].split()[3], "changed", 1)
    texts = [*base, near, base[0]]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": texts, "id": ["a", "b", "c", "near", "copy"]}), path)
    audit = assay.audit_shards([path], tmp_path / "audit")

    found = gold.count_named(
        "made", audit, [("copy", "near", 0.95), ("b", "c", 0.85), ("a", "b", 0.7), ("a", "c", 1)]
    )

    assert (found.num_pairs, found.num_found, found.missed) == (2, 1, (0.85,))
    with pytest.raises(ValueError, match="no document has the id 'x'"):
        gold.count_named("made", audit, [("a", "x", 0.9)])


def test_split_seeds_counts_what_is_called_different() -> None:
    generator = np.random.default_rng(0)
    tokens_J = np.full(40, 50.0)
    alike = (3 + generator.normal(0, 0.05, (60, 40)) + generator.normal(0, 0.01, (60, 1))) * 50

    assert 0 < split_seeds(alike, tokens_J, 3, 400) < 0.1
    alike[::2] += 50  # two populations: arms of one of them alone differ for sure
    assert split_seeds(alike, tokens_J, 2, 400) > 0.05


@pytest.mark.parametrize("scheme", ["affine32", "slots"])
def test_made_pairs_are_found_at_the_rate_of_their_jaccard(scheme: SchemeName) -> None:
    generator = np.random.default_rng(1)
    rule = MinHashConfig(bands=16, rows=8, scheme=scheme)

    found = find_share(rule, 100, 25, 2000, generator)  # J = 75 / 125

    assert abs(found - rule.detect(0.6)) < 0.04
    assert find_share(rule, 100, 0, 10, generator) == 1.0
    assert find_share(rule, 100, 100, 100, generator) == 0.0
    assert diverge(0.5, 0.25) == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3))
