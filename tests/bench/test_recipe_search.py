"""The search of a recipe: its rule, its ledger, and what it trains and scores."""

import json
import math
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.formats.train_config import TrainConfig
from assay.train.run.evaluate import load_held_out, score_documents
from bench.recipe.data import (
    cut_pieces,
    exchange_pieces,
    open_ids,
    read_bins,
    unpack,
    write_pack,
)
from bench.recipe.knobs import BASE, Knobs, make_settings
from bench.recipe.ledger import LEDGER, Ledger
from bench.recipe.plan import FACTORS, GPU, SEEDS, TINY, Plan, Result, Run, Scale
from bench.recipe.queue import Queue
from bench.recipe.rule import DROP, MAX_RUNS, Search
from bench.recipe.search import carry_out
from bench.recipe.worker import PieceOrder, Shop, answer
from tests.support.bins_fixture import draw_documents, make_bins

Losses = dict[str, float]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def truth(knobs: Knobs, gains: Losses) -> float:
    """A loss to which what sets a recipe apart from the base adds up."""
    own = {k: v for k, v in msgspec.to_builtins(knobs).items() if v != getattr(BASE, k)}
    return 4.0 - sum(gains.get(f"{k} {v:.4g}" if isinstance(v, float) else v, -0.05)
                     for k, v in own.items())  # fmt: skip


def measure(run: Run, gains: Losses, noise: float = 0.002) -> Result:
    drawn = random.Random(run.key).gauss(0, noise)
    common = random.Random(run.seed).gauss(0, 0.01)
    return Result(truth(run.knobs, gains) + common + drawn, 1e6)


def run_all(gains: Losses, scale: Scale, order: int = 0) -> tuple[Plan, dict[str, Result]]:
    """Carry out all that is wanted, a few runs at a time, in an order that chance decides."""
    results: dict[str, Result] = {}
    chance = random.Random(order)
    while wanted := Search(results, scale).make().wanted:
        for _, run in chance.sample(wanted, min(4, len(wanted))):
            results[run.key] = measure(run, gains)
    return Search(results, scale).make(), results


GAINS = {
    "softcap 15": 0.02,
    "batch 0.5": 0.06,
    "batch 0.25": 0.1,
    "embed 2": 0.03,
    "value 0.14": 0.05,
}


def test_what_helps_is_found_added_up_and_confirmed() -> None:
    plan, results = run_all(GAINS, GPU)

    assert plan.best == Knobs(softcap=15.0, batch=0.25, value=0.14, embed=2.0)
    assert plan.used <= MAX_RUNS
    fresh = [Run("30M", knobs, seed).key for knobs in (BASE, plan.best) for seed in GPU.fresh]
    carried = [Run(s.name, k, n).key for s in GPU.sizes[1:] for k in (BASE, plan.best)
               for n in GPU.carried]  # fmt: skip
    assert set(fresh + carried) <= set(results)
    assert sum("half exchanged" in key for key in results) == 4 * len(GPU.pairs)
    dropped = [each for each in plan.judged if each.dropped]
    kept = {each.knobs.name for each in plan.judged if each.kept and each.round < 3}
    assert kept == {"softcap 15", "batch 0.5", "batch 0.25", "value 0.14", "embed 2"}
    assert all(each.mean > DROP for each in dropped)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_order_in_which_runs_end_decides_nothing(order: int, seed: int) -> None:
    chance = random.Random(seed)
    names = [f.name for each in FACTORS for f in (each.first, each.further, each.other) if f]
    gains = {name: chance.gauss(0, 0.03) for name in names}

    first, second = run_all(gains, GPU)[0], run_all(gains, GPU, order)[0]

    assert (first.best, first.judged, first.used) == (second.best, second.judged, second.used)
    assert first.used <= MAX_RUNS
    rounds = [each.round for each in first.judged]
    assert rounds == sorted(rounds)
    assert {each.knobs for each in first.judged if each.round == 1} == {f.first for f in FACTORS}


def test_nothing_kept_leaves_the_base() -> None:
    plan, results = run_all({}, GPU)

    assert plan.found
    assert plan.best == BASE
    assert not any(each.kept for each in plan.judged)
    assert sum(key.endswith(tuple(f"seed {n}" for n in GPU.fresh)) for key in results) == 12


def test_a_failed_run_is_infinitely_bad_and_a_slow_setting_has_to_pay_for_its_time() -> None:
    soft, half = Knobs(softcap=15.0), Knobs(batch=0.5)
    results: dict[str, Result] = {}
    for seed in SEEDS:
        results[Run("30M", BASE, seed).key] = Result(4.0 + seed / 100, 1e6)
        for factor in FACTORS:
            gain = 0.03 if factor.first in (soft, half) else -0.02
            noise = 0.001 * ((seed * 7) % 3)
            speed = 0.85e6 if factor.first == half else 1e6
            loss = 4.0 + seed / 100 - gain + noise
            results[Run("30M", factor.first, seed).key] = Result(loss, speed)
    results[Run("30M", Knobs(momentum=0.9), 1).key] = Result(math.inf, 0.0)

    judged = {each.knobs: each for each in Search(results, GPU).make().judged}

    assert judged[soft].kept
    assert not judged[half].kept  # 0.24 ln(1 / 0.85) = 0.039 nats
    assert judged[half].mean < -0.02
    assert judged[Knobs(momentum=0.9)].dropped
    assert judged[Knobs(momentum=0.9)].mean == math.inf


def test_a_base_run_is_that_of_the_log_and_sizes_follow_the_rule() -> None:
    size = {each.name: each for each in GPU.sizes}
    base = make_settings(BASE, size["30M"], 1)
    assert (base.windows_per_step, base.max_iters, base.warmup_steps) == (128, 382, 19)
    assert (base.learning_rate, base.matrix_lr, base.optimizer) == (6e-3, 6e-3, "muon")
    assert (base.cooldown_share, base.weight_decay, base.momentum) == (0.3, 0.1, 0.95)

    large, small = make_settings(BASE, size["124M"], 1), make_settings(BASE, size["5M"], 1)
    assert large.max_iters * large.tokens_per_step == pytest.approx(101.7e6, rel=0.01)
    assert (large.windows_per_step, large.micro_batch) == (192, 64)
    assert large.learning_rate == pytest.approx(6e-3 / 2**0.5 * 1.5**0.5)
    assert small.tokens_per_step == 320 * 256
    assert small.learning_rate == pytest.approx(6e-3 * 2 * (81_920 / 131_072) ** 0.5)
    rich = make_settings(Knobs(value=0.14, scalar=0.5, batch=0.5, embed=2.0), size["124M"], 1)
    assert rich.value_lr == pytest.approx(0.14 / 2**0.5)
    assert rich.scalar_lr == 0.5
    assert rich.matrix_lr is not None
    assert rich.learning_rate == pytest.approx(2 * rich.matrix_lr)
    adamw = make_settings(FACTORS[0].first, size["30M"], 1)
    assert (adamw.optimizer, adamw.learning_rate, adamw.matrix_lr) == ("adamw", 3e-3, None)


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pack")
    make_bins(folder / "bins", draw_documents(0, 200), draw_documents(1, 30))
    write_pack(read_bins(folder / "bins"), folder / "pack.tar.xz")
    unpack(folder / "pack.tar.xz", folder / "ids")
    return folder


def tiny(**more: Any) -> TrainConfig:
    settings = make_settings(BASE, TINY.sizes[0], 5)
    return msgspec.structs.replace(settings, max_iters=4, warmup_iters=0, **more)


def test_documents_are_scored_as_the_trainer_scores_them(pack: Path) -> None:
    from assay.formats.bins import open_bins

    shop = Shop(open_ids(pack / "ids"))
    found = shop.carry_out(tiny(), None)

    held_out = load_held_out(open_bins(pack / "bins"))
    model, device = shop.models[0].model, torch.device("cpu")
    scores = score_documents(model, held_out, device, 32)
    assert found["nats_J"] == pytest.approx(scores.nats_J, rel=1e-5)
    assert found["loss"] == pytest.approx(scores.loss_nats, rel=1e-6)
    assert found["curve"][-1][0] == 4
    again = shop.carry_out(tiny(), None)
    assert np.array_equal(again["nats_J"], found["nats_J"])
    assert len(shop.models) == 1


def test_a_run_that_diverges_or_cannot_be_is_told_and_the_next_one_goes_on(
    pack: Path, tmp_path: Path
) -> None:
    shop = Shop(open_ids(pack / "ids"))

    def ask(config: TrainConfig) -> dict[str, Any]:
        asked = {"id": "a", "share": None, "config": msgspec.to_builtins(config)}
        return answer(shop, asked, tmp_path)

    wild = ask(tiny(learning_rate=1e38, matrix_lr=1e38))
    broken = ask(tiny(block_size=10**6))
    good = ask(tiny())

    assert (wild["loss"], wild["diverged"]) == (None, True)
    assert broken["loss"] is None
    assert broken["error"].startswith("UsageError: block_size must be below")
    assert good["loss"] > 0
    assert np.load(tmp_path / "a.npy").sum() / open_ids(pack / "ids").held_out_tokens == (
        pytest.approx(good["loss"], rel=1e-5)
    )


def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    queue = Queue(Ledger(tmp_path, tmp_path / "out"), TINY, time.monotonic() + 100)
    taken = queue.take(0)
    assert taken is not None
    dead = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip

    line, alive = carry_out(queue, 0, dead, *taken)

    assert not alive
    assert dead.stdout is not None
    dead.stdout.close()
    with suppress(BrokenPipeError):
        dead.stdin.close()  # type: ignore[union-attr]
    assert line["error"] == "the process ended with 3"
    queue.give_back(taken[0], line)
    assert taken[0].key not in queue.ledger.results()  # it is tried once more
    queue.ledger.add(line)
    assert queue.ledger.results()[taken[0].key].loss == math.inf


def test_a_ledger_goes_on_from_a_copy_and_from_a_line_cut_off(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "one", tmp_path / "out")
    ledger.read()
    (tmp_path / "one" / "nats" / "x.npy").write_bytes(b"x")
    ledger.add({"id": "x", "key": "k", "loss": 1.5, "tokens_per_second": 7.0})
    with (tmp_path / "out" / LEDGER).open("a") as file:
        file.write(json.dumps({"id": "y", "key": "l", "loss": 2.5})[:20])

    other = Ledger(tmp_path / "two", tmp_path / "new")
    other.read(tmp_path / "out")

    assert other.results() == {"k": Result(1.5, 7.0)}
    assert (tmp_path / "two" / "nats" / "x.npy").read_bytes() == b"x"
    assert (tmp_path / "new" / LEDGER).read_text() == (tmp_path / "one" / LEDGER).read_text()


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 300), st.floats(0, 1), st.floats(0, 1))
def test_exchanged_pieces_are_new_and_more_of_them_hold_the_fewer(
    pieces: int, one: float, other: float
) -> None:
    few, many = sorted((one, other))
    whole, less, more = (exchange_pieces(pieces, share) for share in (0.0, few, many))

    assert all(np.unique(each).size == pieces // 2 for each in (whole, less, more))
    changed = less != whole
    assert changed.sum() == round(few * (pieces // 2))
    assert np.array_equal(less[changed], more[changed])
    assert not set(less[changed].tolist()) & set(whole.tolist())


def test_a_place_comes_at_the_same_step_and_each_once_an_epoch() -> None:
    order = PieceOrder(3, 50, 8)
    starts = np.concatenate([order.starts(first, 7) for first in range(0, 105, 7)])

    assert np.array_equal(starts, order.starts(0, 105))
    assert sorted((starts[:50] // 9).tolist()) == sorted((starts[50:100] // 9).tolist())
    assert (starts[:50] // 9).tolist() != (starts[50:100] // 9).tolist()
    assert np.unique(starts[:50]).size == 50
    ids = np.arange(50 * 9 + 4)
    assert cut_pieces(ids, 8).shape == (50, 9)
