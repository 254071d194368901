"""Looks, a second set, leaks, tokens to equal loss, processes and kills."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from assay.artifacts import check_file, read_manifest
from assay.errors import AssayError, UsageError
from assay.tables import read_table
from assay.train.arms import arms_of_data
from assay.train.compare import Comparison, compare_arms, compare_bins
from assay.train.config import TrainConfig, make_config
from assay.train.equal_loss import find_equal_loss, read_curve
from assay.train.judgement import Margins
from assay.train.leakage import measure_leak
from assay.train.loop import Pace
from assay.train.plan import Terms
from assay.train.sentence import write_equal_loss, write_leak
from assay.train.statistics import Losses
from assay.train.tell import describe_verdict
from tests.bins_fixture import draw_documents, make_bins

DOCUMENTS = draw_documents(0, 200)
VAL = draw_documents(1, 30)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def settings(**changes: Any) -> TrainConfig:
    base = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8}
    return make_config({**base, "max_iters": 12, "device": "cpu", **changes})


def compare_looks(tmp_path: Path, name: str, few: int, **changes: Any) -> Comparison:
    whole = make_bins(tmp_path / f"{name}-whole", DOCUMENTS, VAL)
    part = make_bins(tmp_path / f"{name}-part", DOCUMENTS[:few], VAL)
    arms = arms_of_data([whole, part], settings(**changes))
    return compare_arms(arms, tmp_path / name, terms=Terms((2, 3)))


def test_a_look_that_decides_ends_the_comparison(tmp_path: Path) -> None:
    made = compare_looks(tmp_path, "ab", 4, max_iters=250, n_embd=32)

    verdict = made.verdict
    assert verdict.verdict == "worse"
    assert (verdict.seeds, verdict.declared_looks) == (2, [2, 3])
    assert [(look.seeds, look.decided) for look in verdict.looks] == [(2, True)]
    assert verdict.comparisons[0].confidence == pytest.approx(0.975)
    assert not (made.folder / "runs" / "0-2").exists()
    assert "looks declared at 2,3 seeds an arm, taken at 2" in describe_verdict(verdict)


def test_a_look_that_leaves_it_open_takes_more_seeds_and_is_kept(tmp_path: Path) -> None:
    made = compare_looks(tmp_path, "ab", 200)

    verdict = made.verdict
    assert [look.seeds for look in verdict.looks] == [2, 3]
    assert not verdict.looks[0].decided
    assert verdict.seeds == 3
    names = {entry.name for entry in read_manifest(made.folder).outputs}
    assert {"verdict.json", "look-2.json", "look-3.json"} <= names


def test_a_comparison_stopped_between_looks_goes_on_by_the_same_call(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms, terms = arms_of_data(bins, settings()), Terms((2, 3))
    whole = compare_arms(arms, tmp_path / "whole", terms=terms)

    def stop(line: str) -> None:
        if line.startswith("look at 2 seeds an arm (goes on)"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_arms(arms, tmp_path / "ab", terms=terms, say=stop)
    first = (tmp_path / "ab" / "look-2.json").read_bytes()
    again = compare_arms(arms, tmp_path / "ab", terms=terms)

    assert again.verdict == whole.verdict
    assert (again.folder / "look-2.json").read_bytes() == first


def test_a_look_cannot_be_taken_back(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = arms_of_data(bins, settings())

    def stop(line: str) -> None:
        if line.startswith("look at"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_arms(arms, tmp_path / "ab", terms=Terms((2, 3)), say=stop)
    other = Terms((2, 3), Margins(delta=50.0))

    with pytest.raises(UsageError, match=r"look-2\.json has other verdicts"):
        compare_arms(arms, tmp_path / "ab", terms=other)


def test_a_second_set_is_told_apart_and_does_not_decide(tmp_path: Path) -> None:
    whole = make_bins(tmp_path / "whole", DOCUMENTS, VAL)
    part = make_bins(tmp_path / "part", DOCUMENTS[:50], VAL)
    target = make_bins(tmp_path / "target", [[1] * 20], [*draw_documents(7, 24), DOCUMENTS[3]])
    plain = compare_bins([whole, part], tmp_path / "plain", config=settings(), seeds=2)

    made = compare_bins([whole, part], tmp_path / "ab", config=settings(), seeds=2, also=target)

    second = made.verdict.also
    assert second is not None
    assert (second.name, second.documents, second.leaked_documents) == ("target", 24, 1)
    assert made.verdict.comparisons == plain.verdict.comparisons
    table = read_table(made.folder / "also" / "1-1.parquet")
    assert table["leaked"].to_list() == [False] * 24 + [True]
    clean = table.filter(~table["leaked"])
    others = read_table(made.folder / "also" / "1-0.parquet").filter(~table["leaked"])
    mean = (clean["nats"].sum() + others["nats"].sum()) / 2 / clean["tokens"].sum()
    assert second.losses["part"] == pytest.approx(mean)
    assert second.comparisons[0].difference == pytest.approx(
        second.losses["part"] - second.losses["whole"]
    )
    manifest = read_manifest(made.folder)
    assert "also" in manifest.parents
    for entry in manifest.outputs:
        check_file(made.folder, entry)
    assert "on 24 documents of target, not part of the verdict:" in describe_verdict(made.verdict)


def test_second_scores_lost_are_made_again_from_the_weights(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    target = make_bins(tmp_path / "target", [[1] * 20], draw_documents(7, 24))
    whole = compare_bins(bins, tmp_path / "whole", config=settings(), seeds=2, also=target)

    def stop(line: str) -> None:
        if "b, seed 1/2: step 12/" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare_bins(bins, tmp_path / "ab", config=settings(), seeds=2, also=target, say=stop)
    (tmp_path / "ab" / "also" / "0-0.parquet").unlink()

    again = compare_bins(bins, tmp_path / "ab", config=settings(), seeds=2, also=target)

    assert again.verdict == whole.verdict


def test_what_leaked_is_measured_against_what_did_not(tmp_path: Path) -> None:
    clean = make_bins(tmp_path / "clean", DOCUMENTS[:20], VAL)
    leaky = make_bins(tmp_path / "leaky", [*DOCUMENTS[:12], *VAL[:8]], VAL)
    config = settings(max_iters=300, n_embd=32)

    made = compare_bins([clean, leaky], tmp_path / "ab", config=config, seeds=2, allow_leaked=True)

    pairing = made.verdict.comparisons[0]
    leak = pairing.leak
    assert leak is not None
    assert pairing.difference is not None
    assert pairing.leaked_difference is not None
    assert leak.documents == 8
    assert leak.difference == pytest.approx(pairing.leaked_difference)
    assert leak.excess == pytest.approx(pairing.leaked_difference - pairing.difference)
    assert leak.interval[1] < 0
    assert leak.optimism > 0
    assert "its val would be optimistic by" in describe_verdict(made.verdict)


def test_a_planted_leak_is_found_within_its_interval() -> None:
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(100):
        losses, leaked_J = plant_leak(generator)
        found = measure_leak(losses, leaked_J, ~leaked_J)
        assert found is not None
        inside += found.interval[0] < -0.1 < found.interval[1]
        share = losses.tokens_J[leaked_J].sum() / losses.tokens_J.sum()
        assert found.optimism == pytest.approx(-share * found.excess)
        assert found.optimism_interval[0] < found.optimism < found.optimism_interval[1]

    assert inside >= 88  # 95 in the long run
    assert write_leak(found, "leaky", "clean").startswith("leaky had seen 40 held-out documents")
    assert measure_leak(losses, leaked_J & False, ~leaked_J) is None


def plant_leak(generator: np.random.Generator) -> tuple[Losses, np.ndarray]:
    """Draw 120 documents of which B has 40 at 0.1 nats a token less, and is 0.02 worse itself."""
    tokens_J = generator.integers(50, 500, 120).astype(float)
    leaked_J = np.arange(120) < 40
    arms = [
        (
            3.0
            + (0.02 - 0.1 * leaked_J) * place
            + generator.normal(0, 0.004, (3, 1))
            + generator.normal(0, 0.05, (3, 120))
        )
        * tokens_J
        for place in (0, 1)
    ]
    return Losses(arms[0], arms[1], tokens_J, tokens_J * 4), leaked_J


def test_equal_loss_is_read_off_the_lower_arms_curve() -> None:
    curve = [(100 * step, 5.0 - 0.1 * step) for step in range(1, 11)]  # 4.0 at 1,000 tokens
    flat = [(100 * step, 5.0) for step in range(1, 11)]

    better = find_equal_loss(-0.25, (-0.35, -0.15), ("b", "a"), (curve, flat))
    worse = find_equal_loss(0.25, (0.15, 0.35), ("b", "a"), (flat, curve))

    assert better.arm == "b"
    assert better.share == pytest.approx(0.75)
    assert better.interval == pytest.approx((0.65, 0.85))
    assert worse.arm == "a"
    assert worse.share == pytest.approx(0.75)
    assert write_equal_loss(better, "b", "a") == (
        "b reached the final loss of a after 75% of its tokens (65% to 85%), by its own curve"
    )


def test_equal_loss_says_why_it_is_not_known() -> None:
    curve = [(100 * step, 5.0 - 0.1 * step) for step in range(1, 11)]

    none = find_equal_loss(-0.1, (-0.3, 0.1), ("b", "a"), (curve, curve))
    short = find_equal_loss(-0.1, (-0.2, -0.05), ("b", "a"), (curve[-1:], curve[-1:]))
    first = find_equal_loss(-3.0, (-3.5, -2.5), ("b", "a"), (curve, curve))

    assert none.reason == "the difference's interval holds 0"
    assert "set --eval-interval" in (short.reason or "")
    assert "from its first held-out loss on" in (first.reason or "")
    assert "not worked out" in write_equal_loss(none, "b", "a")


def test_a_curve_is_the_mean_where_all_runs_logged_one() -> None:
    runs = [
        [{"tokens_seen": 1, "held_out_loss": 4.0}, {"tokens_seen": 2}],
        [{"tokens_seen": 1, "held_out_loss": 2.0}, {"tokens_seen": 2, "held_out_loss": 1.0}],
    ]

    assert read_curve(runs) == [(1, 3.0)]


def test_tokens_to_equal_loss_come_with_the_verdict(tmp_path: Path) -> None:
    whole = make_bins(tmp_path / "whole", DOCUMENTS, VAL)
    little = make_bins(tmp_path / "little", DOCUMENTS[:6], VAL)
    pace = Pace(log=10, evaluate=25, checkpoint=0)

    made = compare_bins(
        [whole, little], tmp_path / "ab", config=settings(max_iters=260, n_embd=32), seeds=2,
        pace=pace,
    )  # fmt: skip

    equal = made.verdict.comparisons[0].equal_loss
    assert made.verdict.verdict == "worse"
    assert equal is not None
    assert equal.arm == "whole"
    assert equal.share is not None
    assert equal.interval is not None
    assert 0 < equal.interval[0] <= equal.share <= equal.interval[1] < 1
    assert "whole reached the final loss of little after" in describe_verdict(made.verdict)


def test_what_was_foreseen_is_kept_with_its_assumptions(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = arms_of_data(bins, settings(max_iters=3))
    lines: list[str] = []

    told = compare_arms(
        arms, tmp_path / "told", terms=Terms((2,), seed_sd=0.002), say=lines.append
    ).verdict.foreseen
    assumed = compare_arms(arms, tmp_path / "assumed", terms=Terms((2,))).verdict.foreseen

    assert told is not None
    assert assumed is not None
    assert (told.seed_sd, assumed.seed_sd) == (0.002, 0.04)
    assert "declared" in told.source
    assert "assumed" in assumed.source
    assert set(told.detectable) == {"2", "3", "5", "8"}
    assert all(told.detectable[n] < assumed.detectable[n] for n in told.detectable)
    assert any(line.startswith("smallest effect to expect") for line in lines)


def test_two_processes_give_the_verdict_of_one(tmp_path: Path) -> None:
    whole = make_bins(tmp_path / "whole", DOCUMENTS, VAL)
    part = make_bins(tmp_path / "part", DOCUMENTS[:50], VAL)
    target = make_bins(tmp_path / "target", [[1] * 20], draw_documents(7, 24))
    arms, lines = arms_of_data([whole, part], settings()), list[str]()
    terms = Terms((2,))
    alone = compare_arms(arms, tmp_path / "one", terms=terms, also=target)

    both = compare_arms(
        arms, tmp_path / "two", terms=terms, also=target, devices=("cpu", "cpu"), say=lines.append
    )

    assert both.verdict == alone.verdict
    for name in ("runs/0-0", "runs/0-1", "runs/1-0", "runs/1-1"):
        one, two = (folder / name / "losses.parquet" for folder in (alone.folder, both.folder))
        assert one.read_bytes() == two.read_bytes()
    assert any("part, seed 2/2: step 12/12" in line for line in lines)


def test_a_run_that_diverges_in_a_process_is_told_as_here(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = arms_of_data(bins, settings(learning_rate=1e38, grad_clip=0, warmup_iters=0))

    made = compare_arms(arms, tmp_path / "ab", terms=Terms((1,)), devices=("cpu", "cpu"))

    assert made.verdict.verdict == "invalid"
    assert "runs/0-0: loss or gradient is not a finite number" in made.verdict.sentence


def test_a_process_that_cannot_train_is_an_error(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = arms_of_data(bins, settings())

    with pytest.raises(AssayError, match="device cuda:77 is not there"):
        compare_arms(arms, tmp_path / "ab", terms=Terms((1,)), devices=("cuda:77", "cuda:77"))


SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from assay.bins import open_bins
from assay.train.compare import compare_bins
from assay.train.config import make_config
from assay.train.loop import Pace
root = Path(sys.argv[1])
base = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8}
compare_bins([open_bins(root / "a"), open_bins(root / "b")], root / "killed", seeds=2,
             config=make_config({**base, "max_iters": 150, "device": "cpu"}),
             also=open_bins(root / "target"), pace=Pace(10, 0, 20))
"""


def test_a_comparison_that_was_killed_goes_on_to_the_bytes_of_one_that_was_not(
    tmp_path: Path,
) -> None:
    for name in "ab":
        make_bins(tmp_path / name, DOCUMENTS, VAL)
    make_bins(tmp_path / "target", [[1] * 20], draw_documents(7, 24))
    generator = np.random.default_rng()
    seed = int(generator.integers(1 << 31))
    generator = np.random.default_rng(seed)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    for _ in range(2):
        process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
        while process.poll() is None and not (tmp_path / "killed").exists():
            time.sleep(0.02)
        time.sleep(float(generator.uniform(0.05, 0.6)))
        process.send_signal(signal.SIGKILL)
        process.wait()
    finished = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    if finished.returncode:  # a kill may have come after the end
        assert read_manifest(tmp_path / "killed").kind == "comparison"

    from assay.bins import open_bins

    whole = compare_bins(
        [open_bins(tmp_path / "a"), open_bins(tmp_path / "b")], tmp_path / "whole", seeds=2,
        config=settings(max_iters=150), also=open_bins(tmp_path / "target"), pace=Pace(10, 0, 20),
    )  # fmt: skip

    for name in ("verdict.json", "also/1-1.parquet", "runs/1-1/losses.parquet"):
        killed = (tmp_path / "killed" / name).read_bytes()
        assert killed == (whole.folder / name).read_bytes(), f"{name}, seed {seed}"


def test_arms_with_one_stream_of_seeds_are_refused(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    arms = arms_of_data(bins, settings())
    arms[1] = dataclasses.replace(arms[1], stream=0)

    with pytest.raises(UsageError, match="share a stream of seeds"):
        compare_arms(arms, tmp_path / "ab")


def test_the_settings_of_a_comparison_are_in_its_manifest(tmp_path: Path) -> None:
    bins = [make_bins(tmp_path / name, DOCUMENTS, VAL) for name in "ab"]
    terms = Terms((2,), Margins(0.02, 0.05), seed_sd=0.003)

    made = compare_arms(arms_of_data(bins, settings(max_iters=3)), tmp_path / "ab", terms=terms)

    found = read_manifest(made.folder).settings
    assert (found["looks"], found["delta"], found["not_worse_by"]) == ([2], 0.02, 0.05)
    assert found["config"] == msgspec.to_builtins(settings(max_iters=3))
    assert made.verdict.not_worse_by == 0.05
