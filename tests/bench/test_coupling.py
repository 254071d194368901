"""Pairs of runs, coupled and independent: their data, their list, what is told of them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import bench
from bench.coupling.data import ARTICLES, NEWS, make_mixture, make_null, split_documents
from bench.coupling.plan import SCALES, Run, list_runs
from bench.coupling.report import compare_deviations, compare_means, find_pairs, read_runs, tell
from bench.coupling.run import free_claims
from bench.coupling.worker import Bench, claim
from bench.recipe.data import Ids, unpack, write_pack

END = 64
POOL = Path(bench.__file__).parent / "pools" / "coupling.json"


def draw_ids(seed: int, count: int, length: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    parts = [
        np.append(generator.integers(0, END, generator.integers(1, 2 * length)), END)
        for _ in range(count)
    ]
    return np.concatenate(parts).astype(np.uint16)


def test_datasets_share_what_they_should_and_are_of_one_size() -> None:
    articles = split_documents(draw_ids(0, 900, 40), END)
    news = split_documents(draw_ids(1, 900, 10), END)
    size = 12_000
    pairs = {0.8: make_mixture(articles, news, size), 0.95: make_null(articles, size, 0.95, 0)}
    pairs[0.0] = make_null(articles, size, 0.0, 1)

    for share, (one, two) in pairs.items():
        assert abs(one.ids_N.size - size) < 200
        assert abs(two.ids_N.size - one.ids_N.size) < 200
        both = {part.tobytes() for part in split_documents(one.ids_N, END)}
        again = [part for part in split_documents(two.ids_N, END) if part.tobytes() in both]
        assert sum(part.size for part in again) / size == pytest.approx(share, abs=0.02)
    assert not np.array_equal(
        make_null(articles, size, 0.95, 0)[0].ids_N, make_null(articles, size, 0.95, 1)[0].ids_N
    )


def test_coupled_arms_have_one_seed_and_no_two_independent_runs_do() -> None:
    runs = [run for run in list_runs(SCALES["gpu"]) if run.share is None]

    seeds = {(run.coupled, run.pair, run.arm): run.seed for run in runs}

    assert all(seeds[True, n, 0] == seeds[True, n, 1] for n in range(150))
    apart = [seed for (coupled, _, _), seed in seeds.items() if not coupled]
    assert len({*apart, *(seeds[True, n, 0] for n in range(150))}) == 3 * 150
    assert len({run.key for run in list_runs(SCALES["gpu"])}) == 600 + 200 * 6


def test_a_run_is_taken_once_and_freed_if_it_did_not_end(tmp_path: Path) -> None:
    for name in ("claims", "done"):
        (tmp_path / name).mkdir()
    first, second = Run(True, 0, 0), Run(True, 1, 0)
    assert claim(tmp_path, first)
    assert claim(tmp_path, second)
    assert not claim(tmp_path, first)
    (tmp_path / "done" / "0.jsonl").write_text(json.dumps({"key": first.key}) + '\n{"key": "cut')

    assert free_claims(tmp_path) == 1

    assert not claim(tmp_path, first)
    assert claim(tmp_path, second)


def test_runs_are_trained_on_the_windows_of_their_mode(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    val = draw_ids(3, 4, 20)
    ends = np.flatnonzero(val == END)
    starts = np.append(0, ends[:-1] + 1)
    for name, ids in ((ARTICLES, draw_ids(4, 1200, 40)), (NEWS, draw_ids(5, 900, 10))):
        write_pack(Ids(ids, val, starts, ends, END + 1, END), tmp_path / name)
        unpack(tmp_path / name, tmp_path / name.split(".")[0])
    made = Bench(tmp_path, SCALES["tiny"])

    line, nats_J = made.carry_out(Run(True, 1, 0))
    again, same_J = made.carry_out(Run(True, 1, 0))
    other, _ = made.carry_out(Run(False, 1, 0))

    assert line["same_steps"] == pytest.approx(0.8, abs=0.05)
    assert nats_J.size == 4
    assert np.array_equal(nats_J, same_J)
    assert line["loss"] == again["loss"] != other["loss"]
    assert other["same_steps"] == 0.0
    assert line["loss"] == pytest.approx(line["train_loss"], abs=1)


def test_what_is_told_of_planted_losses_is_what_was_planted() -> None:
    generator = np.random.default_rng(6)
    runs = []
    for pair in range(80):
        noise = generator.normal(0, 0.01)
        for arm in (0, 1):
            own = generator.normal(0.02 * arm, 0.002)
            runs += [
                {"key": f"c{pair}{arm}-", "coupled": True, "arm": arm, "pair": pair,
                 "share": None, "loss": 4 + noise + own},
                {"key": f"i{pair}{arm}-", "coupled": False, "arm": arm, "pair": pair,
                 "share": None, "loss": 4.02 * arm + 4 * (1 - arm) + generator.normal(0, 0.01)},
            ]  # fmt: skip
    runs = [run | {"tokens_per_second": 1, "seconds": 1.0} for run in runs]

    difference, error, low, high = compare_means(find_pairs(runs, True), find_pairs(runs, False))

    assert difference == pytest.approx(0, abs=3 * error)
    assert error == pytest.approx(np.sqrt((0.002**2 + 0.01**2) * 2 / 80), rel=0.25)
    assert high - low == pytest.approx(2 * 1.66 * error, rel=0.01)
    assert "within (±0.005)" in tell(runs)
    assert "not within (±0.005)" in tell(
        [run | {"loss": run["loss"] + 0.02 * run["arm"] * run["coupled"]} for run in runs]
    )
    assert "too few pairs" in tell([run for run in runs if run["pair"] < 50])


def test_a_ratio_of_deviations_has_the_textbooks_interval() -> None:
    one, two = np.arange(61.0), 2 * np.arange(61.0)

    ratio, low, high = compare_deviations(one.tolist(), two.tolist())

    # F at 95% of 60 and 60 degrees of freedom is 1.534.
    assert (ratio, low, high) == pytest.approx((0.5, 0.5 / 1.534**0.5, 0.5 * 1.534**0.5), rel=1e-3)


def test_the_kept_runs_give_what_the_log_says() -> None:
    runs = read_runs([POOL])

    told = tell(runs)

    assert len(runs) == 398
    assert "coupled: 100 pairs, mean difference +0.04616" in told
    assert "-0.00067, standard error 0.00111, 90% interval -0.00251 to +0.00117: within" in told
    with pytest.raises(ValueError, match="twice"):
        read_runs([POOL, POOL])
