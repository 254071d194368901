"""Where the laws of repeated tokens reach, and that no gain that is told exceeds the loss."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.diagnose.analysis.law_validity import laws_hold
from assay.diagnose.run import weigh_log
from assay.formats.hypothesis import HypothesisName
from assay.laws.budgets import UNKNOWN, describe_budget, draw_budget
from assay.laws.plans import read_plan
from tests.support.curves import make_curves
from tests.support.logs import find


def make_tiny_run(folder: Path, epochs: float, parameters: int = 5_120) -> Path:
    """Write a finished run of ours of a model of so many parameters over 24,400 tokens."""
    steps = round(epochs * 24_400 / 256)
    folder.mkdir()
    every = range(20, steps + 1, 20)
    rows = [{"step": s, "loss": 1.4 + 9 / (s + 9) ** 0.6, "lr": 3e-3} for s in every]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = {"n_layer": 1, "n_embd": 16, "block_size": 32, "batch_size": 8, "max_iters": steps}
    config |= {"gradient_accumulation_steps": 1, "schedule": "constant", "learning_rate": 3e-3}
    manifest = {"kind": "run", "tool": "x", "settings": {"config": config}, "inputs": []}
    manifest |= {"outputs": [], "tokenizer": {"vocab_size": 65}}
    seen = 256 * steps
    manifest["totals"] = {"parameters": parameters, "tokens_seen": seen, "epoch": seen / 24_400}
    manifest["totals"] |= {"steps": steps, "unique_tokens_seen": 24_400}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize("epochs", [2.1, 30])
def test_out_of_reach_no_law_is_quoted_anywhere(here: Path, epochs: float) -> None:
    diagnosis = weigh_log(make_tiny_run(here / "run", epochs))
    kept, text = diagnosis.result, " ".join(diagnosis.describe().split())
    quantity = find(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)

    assert diagnosis.run.budget is not None
    assert diagnosis.run.budget.doubled.high > 1.5
    assert f"repeats cost {UNKNOWN}" in text
    assert f"twice the unique tokens buy {UNKNOWN}" in text
    assert f"would buy {UNKNOWN}" in text
    assert f"worth {UNKNOWN}" in text
    assert "repeating has cost 0." not in text
    assert "would buy this run's own forecast" not in text
    assert "do not reach this size" in " ".join(diagnosis.result.conclusions)
    assert not any("unique" in lever.name for lever in diagnosis.result.levers)
    assert kept.run is not None
    assert (quantity.gain, kept.run.repetition) == (None, None)
    assert dict(kept.budget or ())["repeats cost"] == UNKNOWN


def test_out_of_reach_the_gap_alone_bounds_what_more_data_buys(here: Path) -> None:
    log = make_curves(here, overfits=True)

    diagnosis = weigh_log(log, config="c.py --n_embd=8 --n_head=1", unique_tokens=10_000)
    quantity = find(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)

    assert not diagnosis.run.laws_hold
    assert diagnosis.run.gap is not None
    assert quantity.gain is not None
    assert quantity.gain == (0.0, diagnosis.run.gap.mean)
    assert quantity.gain_source == "at most the gap of val and train"


SIZES = st.floats(3.5, 9.5).map(lambda power: round(10**power))


@given(size=SIZES, unique=SIZES, epochs=st.floats(0.1, 300), loss=st.floats(0.1, 12))
def test_nothing_told_exceeds_the_loss_or_what_memorising_can_part(
    size: int, unique: int, epochs: float, loss: float
) -> None:
    steps = max(1, math.ceil(epochs * unique / 256))
    budget = draw_budget(read_plan(f"--params {size} --batch-tokens 256 --iters {steps}"), unique)
    most = min(loss, budget.largest_gap)

    for span in (budget.repetition.cap(most), budget.doubled.cap(most)):
        assert 0 <= span.low <= span.high <= most
    rows = dict(describe_budget(budget, limit=most, known=laws_hold(budget, loss)))
    for name in ("repeats cost", "twice the unique tokens buy"):
        if rows[name] != UNKNOWN:
            low, _, high = rows[name].split(" nats")[0].partition(" to ")
            assert float(low) <= float(high or low) <= most + 0.0005


@pytest.mark.parametrize(
    ("size", "unique", "epochs", "loss", "reaches"),
    [
        (40_560_000, 730_000_000, 10.4, 3.1, True),
        (9_000_000, 9_000_000, 11.1, 5.0, True),  # where the quarter of the data was measured
        (5_120, 24_400, 30, 1.46, False),
        (10_000_000, 1_000_000, 40, 0.5, False),  # more than the loss
        (10_000_000, 1_000_000, 2, 5.0, False),  # as no run of few repeats lost
    ],
)
def test_laws_reach_sizes_that_were_measured(
    size: int, unique: int, epochs: float, loss: float, reaches: bool
) -> None:
    steps = round(epochs * unique / 256)
    plan = read_plan(f"--params {size} --batch-tokens 256 --iters {steps}")

    assert laws_hold(draw_budget(plan, unique), loss) == reaches
