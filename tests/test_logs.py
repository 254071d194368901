import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.diagnose.logs import text as text_module
from assay.diagnose.logs.detect import FORMATS, detect_format, read_log
from assay.diagnose.logs.gather import keep_last
from assay.diagnose.logs.nanogpt import NANOGPT
from assay.diagnose.logs.runlog import Curve, RunLog
from assay.diagnose.logs.text import read_text
from assay.diagnose.logs.wandb import read_records
from assay.errors import InputError, UsageError
from tests.origin import make_log
from tests.reference import keep_last_slowly, read_nanogpt_slowly


def write(folder: Path, text: str | bytes, name: str = "log.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def pairs(curve: Curve) -> list[tuple[int, float]]:
    return list(zip(curve.step_N.tolist(), curve.value_N.tolist(), strict=True))


def notes(log: RunLog) -> str:
    return "\n".join(log.notes)


# ---- nanoGPT


def test_the_origin_log_is_read_as_nanogpt_prints_it(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, make_log()))

    assert log.format == "nanogpt"
    assert (log.train.size, log.val.size, log.batch.size, log.mfu.size) == (30, 30, 1451, 1451)
    assert log.last_step == 14_500
    assert log.val.value_N[0] == pytest.approx(10.87)
    assert log.facts == {
        "tokens_per_step": 524_288,
        "parameters_millions": 40.56,
        "vocab_size": 50304,
    }
    assert log.notes == ()


@pytest.mark.parametrize(
    "prefix",
    [
        "2026-11-24 14:00:00,123 INFO ",
        "[rank0]: ",
        "\x1b[32m",
        " 12%|#2   | 120/1000 [00:01<00:09]  ",
        "node-3/0> ",
    ],
)
def test_prefixes_do_not_matter(tmp_path: Path, prefix: str) -> None:
    lines = ["step 0: train loss 4.2, val loss 4.3", "iter 10: loss 3.9, time 12.5ms, mfu -100.00%"]

    log = read_log(write(tmp_path, "".join(f"{prefix}{line}\x1b[0m\n" for line in lines)))

    assert (pairs(log.train), pairs(log.val)) == ([(0, 4.2)], [(0, 4.3)])
    assert pairs(log.batch) == [(10, 3.9)]


def test_progress_bars_write_over_one_line(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "iter 1: loss 3.5\riter 2: loss 3.4\riter 3: loss 3.3"))

    assert pairs(log.batch) == [(1, 3.5), (2, 3.4), (3, 3.3)]


def test_a_resumed_run_drops_what_it_wrote_over(tmp_path: Path) -> None:
    lines = [
        f"step {s}: train loss {x}, val loss {x}" for s, x in [(0, 9), (5, 8), (10, 7), (15, 6)]
    ]
    lines += [f"step {s}: train loss {x}, val loss {x}" for s, x in [(10, 6.5), (20, 5)]]

    log = read_log(write(tmp_path, "\n".join(lines)))

    assert pairs(log.val) == [(0, 9), (5, 8), (10, 6.5), (20, 5)]
    assert "val: the log goes back 1 time, first from step 15 to 10" in notes(log)
    assert "2 older values are dropped" in notes(log)


def test_a_run_started_anew_in_one_file_is_the_last_one(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, make_log(1) + make_log(2, last=4_000)))
    alone = read_log(write(tmp_path, make_log(2, last=4_000), "alone.txt"))

    assert pairs(log.val) == pairs(alone.val)
    assert "from step 14,500 to 0" in notes(log)


def test_steps_out_of_order_are_sorted_and_said(tmp_path: Path) -> None:
    lines = [f"iter {s}: loss {s / 1000:.3f}" for s in range(1000)][::-1]

    log = read_log(write(tmp_path, "\n".join(lines)))

    assert log.batch.step_N.tolist() == list(range(1000))
    assert "999 of 1,000 go back" in notes(log)


def test_nan_is_counted_and_set_apart(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "iter 1: loss 3.5\niter 2: loss nan\niter 3: loss inf\n"))

    assert pairs(log.batch) == [(1, 3.5)]
    assert log.broken["batch"].tolist() == [2, 3]
    assert "2 values are NaN or infinite, first at step 2" in notes(log)


def test_a_line_that_breaks_off_is_counted_and_shown(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "iter 1: loss 3.5\nstep 2: train loss 3.4, val\niter 3: los"))

    assert pairs(log.batch) == [(1, 3.5)]
    assert "2 lines begin as nanogpt's do and cannot be read" in notes(log)
    assert "'step 2: train loss 3.4, val'" in notes(log)


def test_decimal_commas_are_read_as_points_and_said(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "step 0: train loss 3,65, val loss 3,6\n"))

    assert (pairs(log.train), pairs(log.val)) == ([(0, 3.65)], [(0, 3.6)])
    assert "2 numbers have a decimal comma" in notes(log)


def test_a_log_of_powershell_is_read(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, make_log(last=500).encode("utf-16")))

    assert log.batch.size == 51


def test_small_blocks_give_what_one_block_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, make_log(last=1000))
    whole = read_text(path, NANOGPT).finish()

    blocks = [block for block in text_module.read_blocks(path, 100)]
    monkeypatch.setattr(text_module, "read_blocks", lambda _: iter(blocks))

    assert len(blocks) > 50
    assert pairs(read_text(path, NANOGPT).finish().batch) == pairs(whole.batch)


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.integers(0, 30), st.floats(0, 12).map(lambda x: f"{x:.4f}"), st.just("iter")
            ),
            st.tuples(st.integers(0, 30), st.just("nan"), st.just("step")),
            st.text("step iter:los,0123\n", max_size=20),
        ),
        max_size=40,
    )
)
def test_the_reader_agrees_with_its_slow_twin(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[int, str, str] | str]
) -> None:
    written = []
    for line in [*lines, (31, "1.5", "iter")]:
        if isinstance(line, str):
            written.append(line)
        elif line[2] == "iter":
            written.append(f"iter {line[0]}: loss {line[1]}, time 3.00ms, mfu 1.00%")
        else:
            written.append(f"step {line[0]}: train loss {line[1]}, val loss 2.0")
    path = write(tmp_path_factory.mktemp("log"), "\n".join(written))

    log = read_text(path, NANOGPT).finish()

    assert {"batch": pairs(log.batch), "train": pairs(log.train), "val": pairs(log.val)} == (
        read_nanogpt_slowly(path)
    )


@given(st.lists(st.integers(0, 20), min_size=1, max_size=50))
def test_what_a_resumed_run_keeps_agrees_with_its_slow_twin(steps: list[int]) -> None:
    kept = np.flatnonzero(keep_last(np.array(steps))).tolist()

    assert kept == keep_last_slowly(steps)
    assert np.all(np.diff(np.array(steps)[kept]) > 0)


# ---- other programs


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
    assert "1 values are no numbers, e.g. 'oops'; ignored" in notes(log)
    assert "1 rows have no step; ignored" in notes(log)


def test_json_lines_are_read_and_broken_ones_counted(tmp_path: Path) -> None:
    text = '{"step": 1, "loss": 4.5}\n{"step": 2, "lo\n{"step": 3, "loss": NaN}\n[1]\n'

    log = read_log(write(tmp_path, text))

    assert (log.format, pairs(log.batch)) == ("jsonl", [(1, 4.5)])
    assert "2 lines are no JSON objects" in notes(log)
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


@given(st.lists(st.integers(0, 70_000), max_size=4))
def test_records_of_any_length_come_out_of_their_frames(lengths: list[int]) -> None:
    records = [bytes([place]) * length for place, length in enumerate(lengths)]
    framed = frame_wandb(records)

    assert list(read_records(framed, Path("x"))) == records
    assert list(read_records(framed[:-1], Path("x"))) == records[:-1]


def test_a_file_that_is_not_wandbs_is_refused() -> None:
    with pytest.raises(InputError, match="does not begin"):
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
    assert "1 records cannot be read" in notes(log)


# ---- what is no log


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04\x00\x00", "is binary"),
        (b"hello\nworld\n", "is of no known format .*'hello'"),
        (b"epoch,accuracy\n1,2\n", "has columns epoch, accuracy; needed a step .* and a loss"),
        (b"step,accuracy\n1,2\n", r"needed a loss \(loss"),
        (b"loss,lr\n1,2\n", r"needed a step \(step"),
        (b'{"a": 1}\n', "has columns a; needed"),
        (b'{\n "a": 1\n}', "JSON without log_history"),
        (b'{"log_history": 3}', "no list of objects"),
        (b"iter 1: loss nan\n", "every loss is NaN"),
        (b"step,loss\n", "has no loss"),
    ],
)
def test_what_is_no_log_is_one_line(tmp_path: Path, text: bytes, message: str) -> None:
    path = write(tmp_path, text)

    with pytest.raises(InputError, match=message) as error:
        read_log(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    path = write(tmp_path, "iter 1: loss 3.5\niter 2: loss 3.4\ns:1 tel:4.5\n")

    assert detect_format(path) == "nanogpt"
    assert pairs(read_log(path, "llm.c").val) == [(1, 4.5)]
    with pytest.raises(UsageError, match="no log format 'tsv'; there are nanogpt"):
        read_log(path, "tsv")
    assert "csv" in FORMATS


def test_no_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no log at"):
        read_log(tmp_path / "none")
    with pytest.raises(UsageError, match="is a folder"):
        read_log(tmp_path)


def test_a_million_lines_are_read(tmp_path: Path) -> None:
    lines = "\n".join(f"iter {s}: loss 3.5000, time 12.00ms, mfu 30.00%" for s in range(1_000_000))

    log = read_log(write(tmp_path, lines))

    assert log.batch.size == 1_000_000
