"""Losses under other names, in other units and shapes: what is read, and what is said."""

import json
from pathlib import Path

import pytest

from assay.diagnose.logs.read_log import read_log
from assay.diagnose.run import weigh_log
from assay.errors import InputError
from assay.formats.hypothesis import HypothesisName
from tests.support.logs import notes, pairs, sentences, write

STEPS = range(100, 2001, 100)


def write_metrics(folder: Path, above: float) -> Path:
    """Write what assay's own trainer does, its held-out loss so far above that of the batches."""
    rows = [{"step": s, "loss": 3 + 9 / s**0.5, "lr": 1e-3} for s in STEPS]
    rows = [row | {"held_out_loss": row["loss"] + above} for row in rows]
    return write(folder, "\n".join(map(json.dumps, rows)), "metrics.jsonl")


# ---- assay's own metrics


def test_held_out_loss_is_a_validation_loss(tmp_path: Path) -> None:
    log = read_log(write_metrics(tmp_path, 0.1))

    assert (log.val.size, log.batch.size, log.train.size) == (20, 20, 0)
    assert log.val_alone
    assert "each document from its own start" in notes(log)


def test_a_gap_that_lone_documents_may_make_is_not_weighed(tmp_path: Path) -> None:
    assert weigh_log(write_metrics(tmp_path, 0.15)).run.gap is None

    wide = weigh_log(write_metrics(tmp_path, 1.34))

    assert wide.run.gap is not None
    assert wide.run.gap.mean == pytest.approx(1.34)
    assert "val minus train is +1.34" in sentences(wide, HypothesisName.OVERFITTING)


def test_a_val_loss_of_that_name_goes_before(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "step,val_loss,held_out_loss\n1,3.5,4\n2,3.25,4\n"))

    assert pairs(log.val) == [(1, 3.5), (2, 3.25)]
    assert not log.val_alone


# ---- bits a byte


def test_bits_a_byte_are_read_and_never_put_beside_nats(tmp_path: Path) -> None:
    lines = ["step,train/loss,val/bpb,lr"]
    lines += [f"{s},{3 + 9 / s**0.5},{0.9 + 3 / s**0.5},0.001" for s in STEPS]

    diagnosis = weigh_log(write(tmp_path, "\n".join(lines)))

    assert (diagnosis.run.log.val.size, diagnosis.run.log.val_unit) == (20, "bits/byte")
    assert diagnosis.run.gap is None
    assert diagnosis.run.curve_name == "train"
    assert "val is in bits/byte: without the bytes per token" in " ".join(
        diagnosis.describe().split()
    )


def test_bits_a_byte_alone_are_neither_fitted_nor_called_nats(tmp_path: Path) -> None:
    lines = ["step,val_bpb,lr", *(f"{s},{0.9 + 3 / s**0.5},{1e-3 - s * 1e-7}" for s in STEPS)]

    case = weigh_log(write(tmp_path, "\n".join(lines))).run

    assert (case.fit, case.forecast, case.slope, case.noise) == (None, None, None, 0.0)
    assert any("neither fitted nor forecast" in note for note in case.notes)


def test_nats_go_before_bits(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "step,val/bpb,val/loss\n1,1.2,3.5\n"))

    assert (pairs(log.val), log.val_unit) == ([(1, 3.5)], "nats/token")


# ---- one object of lists


@pytest.mark.parametrize("indent", [None, 2])
def test_one_object_of_lists_is_a_table(tmp_path: Path, indent: int | None) -> None:
    columns = {"run": "x", "step": [1, 2, 3], "loss": [4.0, 3.5, 3.25], "val_loss": [4.5, None, 4]}

    log = read_log(write(tmp_path, json.dumps(columns, indent=indent), "history.json"))

    assert pairs(log.batch) == [(1, 4.0), (2, 3.5), (3, 3.25)]
    assert pairs(log.val) == [(1, 4.5), (3, 4.0)]


def test_a_list_of_another_length_is_ignored_and_noted(tmp_path: Path) -> None:
    columns = {"step": [1, 2, 3], "loss": [4.0, 3.5, 3.25], "val_loss": [4.5]}

    log = read_log(write(tmp_path, json.dumps(columns)))

    assert (log.batch.size, log.val.size) == (3, 0)
    assert "val_loss: 1 value for 3 steps; ignored" in notes(log)


def test_lists_without_losses_of_their_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needed a loss"):
        read_log(write(tmp_path, json.dumps({"step": [1, 2], "loss": [3.0]})))


# ---- a first validation loss without a step


def test_a_validation_loss_before_the_first_step_is_that_of_step_0(tmp_path: Path) -> None:
    line = "step {:5d} | loss: 3.500000 | lr 6.0e-04 | norm: 1.2 | dt: 9.00ms | tok/sec: 9"
    text = f"using device: cuda\nvalidation loss: 10.9503\n{line.format(0)}\n{line.format(1)}\n"

    log = read_log(write(tmp_path, text))

    assert log.format == "build-nanogpt"
    assert pairs(log.val) == [(0, 10.9503)]


def test_that_of_a_resumed_run_has_no_step(tmp_path: Path) -> None:
    line = "step {}/900 | loss 3.5 (+nanz)| norm 1.2 (+nanz)| lr 8.57e-07 | 211.50 ms | x"

    log = read_log(write(tmp_path, f"val loss 3.51\n{line.format(501)}\n{line.format(502)}\n"))

    assert log.val.size == 0
    assert "1 line of llm.c-output's kind cannot be read, e.g. 'val loss 3.51'" in notes(log)


# ---- several processes in one log


@pytest.mark.parametrize("prefix", ["[rank{}]:", "[default{}]:", "rank {}:", "12:01:07 rank={} |"])
def test_what_processes_print_side_by_side_is_averaged(tmp_path: Path, prefix: str) -> None:
    lines = [
        f"{prefix.format(rank)} iter {step}: loss {4 - step / 8 + rank / 2:.4f}, time 9.00ms"
        for step in range(3)
        for rank in ((0, 1), (1, 0))[step % 2]
    ]
    lines[2], lines[4] = lines[4], lines[2]  # one is ahead of the other

    log = read_log(write(tmp_path, "\n".join(lines)))

    assert pairs(log.batch) == [(0, 4.25), (1, 4.125), (2, 4.0)]
    assert "lines of 2 processes; equal steps averaged: batch" in notes(log)


def test_more_lines_than_processes_are_no_ranks(tmp_path: Path) -> None:
    lines = [f"[rank{rank}]: iter 5: loss {loss}" for rank, loss in ((0, 4), (1, 3), (0, 2))]

    log = read_log(write(tmp_path, "\n".join(lines)))

    assert pairs(log.batch) == [(5, 2.0)]
    assert "the last value stands" in notes(log)


def test_a_resumed_run_is_not_averaged_for_a_word_of_ranks(tmp_path: Path) -> None:
    hello = "[rank0]: hello\n[rank1]: hello\n"
    first = "".join(f"iter {step}: loss 4\n" for step in range(9))

    log = read_log(write(tmp_path, f"{hello}{first}{first.replace('loss 4', 'loss 3')}"))

    assert pairs(log.batch) == [(step, 3.0) for step in range(9)]
    assert "goes back 1 time" in notes(log)


def test_one_process_is_read_as_it_was(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "[rank0]: iter 5: loss 4\n[rank0]: iter 5: loss 3\n"))

    assert pairs(log.batch) == [(5, 3.0)]
