"""Logs of other programs than nanoGPT: lines, tables, event files."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.diagnose.logs.formats.wandb import read_records
from assay.diagnose.logs.read_log import read_log
from assay.errors import InputError, UsageError
from tests.support.logs import notes, pairs, write


def test_llmc_is_read(tmp_path: Path) -> None:
    log = read_log(
        write(tmp_path, "s:0 tel:10.9\ns:0 trl:11.0 lr:0.0001 norm:15.2\ns:1 trl:10.5 lr:2e-4\n")
    )

    assert log.format == "llm.c"
    assert (pairs(log.val), pairs(log.batch)) == ([(0, 10.9)], [(0, 11.0), (1, 10.5)])
    assert (pairs(log.lr), pairs(log.grad_norm)) == ([(0, 1e-4), (1, 2e-4)], [(0, 15.2)])


def test_modded_nanogpt_is_read(tmp_path: Path) -> None:
    text = "step:0/1770 val_loss:10.8 train_time:0ms step_avg:nanms\nstep:1/1770 train_time:5ms\n"

    log = read_log(write(tmp_path, text + "step:125/1770 val_loss:4.61 train_time:9ms\n"))

    assert log.format == "modded-nanogpt"
    assert pairs(log.val) == [(0, 10.8), (125, 4.61)]
    assert log.facts["total_steps"] == 1770


def test_nanochat_is_read_and_its_unit_said(tmp_path: Path) -> None:
    text = (
        "Total batch size 524,288 => gradient accumulation steps: 1\n"
        "Step 00000 | Validation bpb: 3.2145\n"
        "step 00000/05000 (0.00%) | loss: 11.09 | lrm: 1.00 | dt: 300.00ms | tok/sec: 1,000\n"
    )

    log = read_log(write(tmp_path, text))

    assert (log.format, log.val_unit) == ("nanochat", "bits/byte")
    assert (pairs(log.val), pairs(log.batch)) == ([(0, 3.2145)], [(0, 11.09)])
    assert (pairs(log.lr), log.facts["tokens_per_step"]) == ([(0, 1.0)], 524_288)


def test_trainer_state_is_read(tmp_path: Path) -> None:
    state = {
        "max_steps": 30,
        "log_history": [
            {"step": 10, "loss": 4.0, "learning_rate": 1e-3, "grad_norm": 1.5, "epoch": 0.1},
            {"step": 10, "eval_loss": 4.1, "epoch": 0.1},
            {"step": 20, "loss": 3.5, "grad_norm": float("nan"), "learning_rate": 9e-4},
        ],
    }

    log = read_log(write(tmp_path, json.dumps(state, indent=2), "trainer_state.json"))

    assert log.format == "trainer_state"
    assert (pairs(log.batch), pairs(log.val)) == ([(10, 4.0), (20, 3.5)], [(10, 4.1)])
    assert log.broken["grad_norm"].tolist() == [20]
    assert log.facts["total_steps"] == 30


def test_csv_goes_by_many_names(tmp_path: Path) -> None:
    text = 'global_step,"run-1 - train/loss",Val/Loss,learning_rate\n1,4.5,,1e-3\n2,4.25,4.5,\n'

    log = read_log(write(tmp_path, text, "export.csv"))

    assert (pairs(log.batch), pairs(log.val)) == ([(1, 4.5), (2, 4.25)], [(2, 4.5)])
    assert pairs(log.lr) == [(1, 1e-3)]


def test_losses_logged_together_are_evaluations(tmp_path: Path) -> None:
    text = "iter,train/loss,val/loss\n0,4.5,4.6\n250,4.0,4.1\n"

    log = read_log(write(tmp_path, text))

    assert (pairs(log.train), log.batch.size) == ([(0, 4.5), (250, 4.0)], 0)


def test_a_spreadsheets_semicolons_and_commas_are_read(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "step;loss\n1;4,5\n2;oops\n;4,0\n3;3,25\n"))

    assert pairs(log.batch) == [(1, 4.5), (3, 3.25)]
    assert "column loss: decimal commas read as points" in notes(log)
    assert "1 value without a number, e.g. 'oops'; ignored" in notes(log)
    assert "1 row without a step; ignored" in notes(log)


def test_json_lines_are_read_and_broken_ones_counted(tmp_path: Path) -> None:
    text = '{"step": 1, "loss": 4.5}\n{"step": 2, "lo\n{"step": 3, "loss": NaN}\n[1]\n'

    log = read_log(write(tmp_path, text))

    assert (log.format, pairs(log.batch)) == ("jsonl", [(1, 4.5)])
    assert "2 lines without a JSON object" in notes(log)
    assert log.broken["batch"].tolist() == [3]


def test_a_run_of_ours_is_its_folder(tmp_path: Path) -> None:
    write(tmp_path, '{"step": 1, "loss": 4.5, "lr": 0.001, "grad_norm": 2.0}\n', "metrics.jsonl")

    log = read_log(tmp_path)

    assert (pairs(log.batch), pairs(log.lr)) == ([(1, 4.5)], [(1, 0.001)])


@pytest.mark.parametrize(
    ("name", "extra"), [("events.out.tfevents.1.x", "tensorboard"), ("run-1.wandb", "wandb")]
)
def test_a_missing_library_is_named(tmp_path: Path, name: str, extra: str) -> None:
    try:
        __import__(extra)
    except ImportError:
        with pytest.raises(UsageError, match=rf"pip install 'assay\[{extra}\]'"):
            read_log(write(tmp_path, b"\0\1", name))
    else:
        pytest.skip(f"{extra} is installed")


def test_tensorboard_events_are_read(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path))
    for step, tag, value in [(1, "train/loss", 4.5), (1, "lr", 1e-3), (2, "train/loss", 4.0)]:
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.add_event(Event(step=step, summary=summary))
    writer.close()

    log = read_log(tmp_path)

    assert (log.format, pairs(log.batch)) == ("tensorboard", [(1, 4.5), (2, 4.0)])


def frame_wandb(records: list[bytes]) -> bytes:
    """Frame records as wandb does; checksums are left at 0, nobody reads them."""
    data = bytearray(b":W&B\xe1\xbe\0")
    for record in records:
        first = True
        while True:
            left = 32_768 - len(data) % 32_768
            if left < 7:
                data += bytes(left)
                continue
            part, record = record[: left - 7], record[left - 7 :]
            kind = (1 if not record else 2) if first else (4 if not record else 3)
            data += bytes(4) + len(part).to_bytes(2, "little") + bytes([kind]) + part
            first = False
            if not record:
                break
    return bytes(data)


@settings(deadline=None)
@given(st.lists(st.integers(0, 70_000), max_size=4))
def test_records_of_any_length_come_out_of_their_frames(lengths: list[int]) -> None:
    records = [bytes([place]) * length for place, length in enumerate(lengths)]
    framed = frame_wandb(records)

    assert list(read_records(framed, Path("x"))) == records
    assert list(read_records(framed[:-1], Path("x"))) == records[:-1]


def test_a_file_that_is_not_wandbs_is_refused() -> None:
    with pytest.raises(InputError, match=r"is not a \.wandb file"):
        list(read_records(b"PK", Path("x")))


def test_a_wandb_run_is_read(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    from wandb.proto import wandb_internal_pb2

    records = []
    for step, loss in [(1, 4.5), (2, 4.0)]:
        record = wandb_internal_pb2.Record()
        record.history.step.num = step
        record.history.item.add(key="train/loss", value_json=str(loss))
        records.append(record.SerializeToString())
    write(tmp_path, frame_wandb([*records, b"\xff"]), "run-1.wandb")

    log = read_log(tmp_path)

    assert (log.format, pairs(log.batch)) == ("wandb", [(1, 4.5), (2, 4.0)])
    assert "1 record unreadable" in notes(log)
