"""What is told of a search of a recipe."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

import bench
from bench.recipe.data import Ids
from bench.recipe.knobs import Knobs, make_settings
from bench.recipe.ledger import Ledger
from bench.recipe.plan import GPU, TINY
from bench.recipe.report import Report, describe_pairs, describe_range, find_smallest
from bench.recipe.rule import MAX_RUNS, Search
from tests.bench.test_recipe_search import GAINS, measure


def test_the_report_tells_what_was_found_and_keeps_all_runs(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, tmp_path / "out")
    ledger.read()
    drawn = np.random.default_rng(0)
    while wanted := Search(ledger.results(), TINY).make().wanted:
        run = wanted[0][1]
        loss = measure(run, GAINS).loss
        config = msgspec.to_builtins(make_settings(run.knobs, TINY.sizes[0], run.seed))
        name = f"{len(ledger.lines)}-0"
        tokens_J = np.array([10, 30, 60])
        np.save(tmp_path / "nats" / f"{name}.npy", tokens_J * (loss + drawn.normal(0, 0.01, 3)))
        ledger.add(
            {"id": name, "key": run.key, "size": run.size, "seed": run.seed, "share": run.share,
             "knobs": msgspec.to_builtins(run.knobs), "config": config, "loss": loss,
             "tokens_per_second": 1e6, "training": 2.0, "scoring": 1.0}
        )  # fmt: skip
    none = np.zeros(0, np.uint16)
    ids = Ids(none, none, np.array([0, 11, 42]), np.array([10, 41, 102]), 64, 63)

    report = Report(tmp_path / "out", ids, TINY)
    text = report.tell()
    report.write(tmp_path / "runs.json")

    assert "best: embed 2, batch 0.25, softcap 15, value 0.14" in text
    assert text.count("dropped at seed 1") == sum(each.dropped for each in report.plan.judged)
    difference = text.split("difference: ")[1]
    assert float(difference.split()[0]) == pytest.approx(-0.2, abs=0.01)
    assert "2 seeds; their own spread" in text
    kept = json.loads((tmp_path / "runs.json").read_text())
    assert len(kept["runs"]) == len(ledger.lines)
    assert kept["best"] == msgspec.to_builtins(report.plan.best)
    assert kept["recipes"]["softcap 15"]["softcap"] == 15.0
    assert Report(tmp_path / "runs.json", None, TINY).tell() == text


def test_errors_of_a_report_are_those_of_the_textbook() -> None:
    # The 95 % interval of a standard deviation: of 16 values 0.739 to 1.548 times it, of 12 0.708
    # to 1.698 times.
    for count, expected in ((16, (0.739, 1.548)), (12, (0.708, 1.698))):
        found = tuple(map(float, describe_range(1.0, count).split(" to ")))
        assert found == pytest.approx(expected, rel=0.005)
    told = describe_pairs([0.1, 0.2, 0.3])
    assert told.startswith("+0.2000 (-0.0484 to +0.4484; SD of a pair 0.1000")
    assert find_smallest(0.0, 1.0, 16) == pytest.approx(2.131 + 0.866, abs=0.01)
    assert find_smallest(4.0, 0.0, 16) == find_smallest(0.0, 1.0, 16)


def test_the_runs_that_are_kept_give_what_the_log_says() -> None:
    report = Report(Path(bench.__file__).parent / "pools" / "recipe-search.json", None, GPU)

    assert report.plan.best == Knobs(rate=1.41, batch=0.5, warmup=0.0, momentum=0.9, value=0.14)
    assert report.plan.found
    assert report.plan.used == MAX_RUNS
    text = report.tell()
    assert "difference: -0.2315 (-0.2369 to -0.2260; SD of a pair 0.0086, n 12" in text
    assert "| 3.8900 (SD 0.0037, n 12) |" in text
    assert "| 5% | 0.0026 (0.0019 to 0.0040) |" in text
    assert "| 3.6468 (SD 0.0033, n 4) |" in text
    assert "| 4.7479 (SD 0.0099, n 3) | +0.6258" in text
