"""Data handed over that cannot be the run's, and runs that truly repeat theirs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.diagnose.analysis.data_mismatch import find_doubt
from assay.diagnose.curve.evaluations import measure_gap
from assay.diagnose.inputs.data_facts import DataFacts
from assay.diagnose.logs.run_log import EMPTY, Curve, RunLog
from assay.diagnose.run import weigh_log
from assay.formats.diagnosis import DataDoubt, read_diagnosis
from assay.formats.hypothesis import HypothesisName
from assay.laws.budgets import draw_budget
from assay.laws.plans import Plan
from assay.storage.manifest import read_manifest
from tests.support.logs import find, levels, sentences
from tests.support.origin import CONFIG, make_log


def doubt(
    parameters: float,
    unique: float,
    epochs: float,
    train: float,
    val: float | None,
    *,
    vocabulary: int = 50304,
    steps: int = 1000,
    settings: dict[str, object] | None = None,
    leak: float | None = None,
    question: str = "all?",
) -> DataDoubt | None:
    """Ask of a run whose losses stand where they are said to."""
    at_N = np.linspace(0, steps, 11).astype(np.int64)
    log = RunLog(
        path=Path("x"),
        format="nanogpt",
        train=Curve(at_N, np.full(11, train)),
        val=EMPTY if val is None else Curve(at_N, np.full(11, val)),
        facts={"vocab_size": vocabulary},
    )
    plan = Plan(
        name="x",
        settings=settings or {},
        parameters=round(parameters),
        blocks=None,
        tokens_per_step=max(1, round(epochs * unique / steps)),
        steps=steps,
    )
    data = DataFacts(unique=round(unique), leak_share=leak, question=question)
    return find_doubt(log, draw_budget(plan, round(unique)), data, measure_gap(log), None)


ONE_SHARD = (124e6, 3.0e6, 3271, 3.55, 3.62)


def test_a_shard_seen_3271_times_and_not_known_is_doubted() -> None:
    found = doubt(*ONE_SHARD)

    assert found is not None
    assert found.unique_tokens == 3_000_000
    assert "3,271 passes" in found.sentence
    assert "train loss is still 3.55, val 0.070 above it" in found.sentence


@pytest.mark.parametrize(
    ("parameters", "unique", "epochs", "train", "val", "vocabulary"),
    [
        (30e6, 36e6, 2.8, 3.98, 4.13, 50304),  # LOG.md, E1 on one H200
        (30e6, 9e6, 11.1, 3.27, 4.61, 50304),
        (30e6, 2.25e6, 44, 0.45, 9.59, 50304),
        (16e6, 1.7e6, 15.3, 2.97, 6.41, 50304),  # LOG.md, the trunk of a probe
        (0.12e6, 30_000, 102, 0.98, 2.42, 256),  # LOG.md, planted: 30,000 unique bytes
        (10.65e6, 1.0e6, 33, 1.05, 1.47, 65),  # nanoGPT's Shakespeare in characters, dropout 0.2
        (10.65e6, 1.0e6, 82, 0.65, 1.75, 65),
        (40.56e6, 0.73e9, 10.4, 3.67, 3.60, 50304),  # the origin case, as measured and as guessed
        (40.56e6, 0.1e9, 76, 3.67, 3.60, 50304),
    ],
)
def test_runs_that_truly_repeat_or_truly_do_not_are_believed(
    parameters: float, unique: float, epochs: float, train: float, val: float, vocabulary: int
) -> None:
    assert doubt(parameters, unique, epochs, train, val, vocabulary=vocabulary) is None


def test_another_reason_for_a_small_gap_leaves_no_doubt() -> None:
    assert doubt(*ONE_SHARD, leak=0.3) is None
    assert doubt(*ONE_SHARD, settings={"init_from": "gpt2-xl"}) is None
    assert doubt(*ONE_SHARD, steps=200) is None
    assert doubt(*ONE_SHARD, question="") is None, "the run brought its data itself"
    assert doubt(124e6, 3.0e6, 3271, 0.2, 0.25) is None, "known by heart, and val with it"
    assert doubt(124e6, 3.0e6, 3271, 7.0, 7.0) is None, "nothing is learnt yet"


def test_train_loss_alone_is_doubted_where_it_is_far_from_memorised() -> None:
    found = doubt(124e6, 3.0e6, 3271, 3.55, None)

    assert found is not None
    assert "val" not in found.sentence.partition("(measured")[0]
    assert doubt(124e6, 3.0e6, 3271, 2.0, None) is None
    assert doubt(124e6, 3.0e6, 60, 3.55, None) is None


@given(
    st.floats(1e5, 1e9), st.floats(1e4, 1e9), st.floats(1, 1e4), st.floats(0, 3), st.floats(1, 10)
)
def test_more_passes_and_a_smaller_gap_never_take_a_doubt_away(
    parameters: float, unique: float, epochs: float, gap: float, times: float
) -> None:
    if doubt(parameters, unique, epochs, 3.5, 3.5 + gap) is not None:
        assert doubt(parameters, unique, times * epochs, 3.5, 3.5 + gap) is not None
        assert doubt(parameters, unique, epochs, 3.5, 3.5 + gap / times) is not None


# ---- in a diagnosis


@pytest.fixture
def origin(here: Path) -> Path:
    (here / "train.log").write_text(make_log())
    (here / "config.py").write_text(CONFIG)
    return here


def test_the_contradiction_is_said_first_and_the_gain_withheld(origin: Path) -> None:
    diagnosis = weigh_log(origin / "train.log", config="config.py", unique_tokens=3_000_000)
    text = " ".join(diagnosis.describe().split())
    quantity = find(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)

    assert diagnosis.result.conclusions[0].startswith("does --unique-tokens count all of the run's")
    assert "nothing is said of what repeats cost" in diagnosis.result.conclusions[1]
    assert not any("the amount of data" in said for said in diagnosis.result.conclusions)
    assert (quantity.level, quantity.gain) == ("possible", None)
    assert "withheld" in sentences(diagnosis, HypothesisName.TOO_LITTLE_UNIQUE_DATA)
    assert "twice the unique tokens would buy" not in text
    assert "twice the unique tokens, same tokens seen" not in text
    assert "repeats cost " not in text.partition("THE RUN")[2]
    assert "unique tokens in doubt: 3,000,000 would make 2,534 epochs" in text
    assert "does not match the run" in diagnosis.result.next_steps[0].why
    assert levels(diagnosis)[HypothesisName.SCHEDULE_NOT_FINISHED] == "likely"
    assert levels(diagnosis)[HypothesisName.VALIDATION_LEAKED] == "possible"


def test_what_was_handed_over_is_kept_beside_the_doubt(origin: Path) -> None:
    diagnosis = weigh_log(origin / "train.log", config="config.py", unique_tokens=3_000_000)

    diagnosis.keep(origin / "why")

    kept = read_diagnosis(origin / "why")
    assert kept.doubt is not None
    assert kept.doubt.unique_tokens == 3_000_000
    assert kept.doubt.epochs == pytest.approx(7_602_176_000 / 3e6)
    assert kept.run is not None
    assert (kept.budget, kept.run.repetition, kept.run.epochs) == (None, None, None)
    assert read_manifest(origin / "why", "diagnosis").settings["unique_tokens"] == 3_000_000


def test_bins_and_an_audit_are_doubted_alike(origin: Path, audited: Path) -> None:
    for name, ids in (("train.bin", 10**6), ("val.bin", 20_000)):
        (origin / name).write_bytes(bytes(2 * ids))

    of_bins = weigh_log(origin / "train.log", config="config.py", bins=origin)
    of_audit = weigh_log(origin / "train.log", config="config.py", audit=audited)

    first_of_bins, first_of_audit = (each.result.conclusions[0] for each in (of_bins, of_audit))
    assert first_of_bins.startswith(f"are the bins {origin} all that the run was trained")
    assert first_of_audit.startswith(f"is the audit {audited} of all of the run's shards?")
    assert of_audit.run.data == DataFacts(), "nor leaks nor duplicates count"
