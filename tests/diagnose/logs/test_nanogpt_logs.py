"""nanoGPT's logs as users have them, and files that are no logs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.diagnose.logs import text_format
from assay.diagnose.logs.detect_format import detect_format
from assay.diagnose.logs.formats import FORMATS
from assay.diagnose.logs.formats.nanogpt import NANOGPT
from assay.diagnose.logs.read_log import read_log
from assay.diagnose.logs.restarts import keep_last
from assay.diagnose.logs.text_blocks import read_blocks
from assay.diagnose.run import weigh_log
from assay.errors import InputError, UsageError
from tests.support.logs import notes, pairs, write
from tests.support.origin import make_log
from tests.twins.diagnose import keep_last_slowly, read_nanogpt_slowly

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
    assert "the log goes back 1 time, first from step 15 to 10" in notes(log)
    assert "what was written over is dropped: 2 train, 2 val" in notes(log)


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
    assert "2 values NaN or infinite, first at step 2" in notes(log)


def test_a_line_that_breaks_off_is_counted_and_shown(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "iter 1: loss 3.5\nstep 2: train loss 3.4, val\niter 3: los"))

    assert pairs(log.batch) == [(1, 3.5)]
    assert "2 lines of nanogpt's kind cannot be read" in notes(log)
    assert "'step 2: train loss 3.4, val'" in notes(log)


def test_decimal_commas_are_read_as_points_and_said(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "step 0: train loss 3,65, val loss 3,6\n"))

    assert (pairs(log.train), pairs(log.val)) == ([(0, 3.65)], [(0, 3.6)])
    assert "2 decimal commas read as points" in notes(log)


def test_a_log_of_powershell_is_read(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, make_log(last=500).encode("utf-16")))

    assert log.batch.size == 51


def test_small_blocks_give_what_one_block_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, make_log(last=1000))
    whole = NANOGPT.read(path).finish()

    blocks = [block for block in read_blocks(path, 100)]
    monkeypatch.setattr(text_format, "read_blocks", lambda _: iter(blocks))

    assert len(blocks) > 50
    assert pairs(NANOGPT.read(path).finish().batch) == pairs(whole.batch)


@settings(deadline=None)
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

    log = NANOGPT.read(path).finish()

    assert {"batch": pairs(log.batch), "train": pairs(log.train), "val": pairs(log.val)} == (
        read_nanogpt_slowly(path)
    )


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=50))
def test_what_a_resumed_run_keeps_agrees_with_its_slow_twin(steps: list[int]) -> None:
    kept = np.flatnonzero(keep_last(np.array(steps))).tolist()

    assert kept == keep_last_slowly(steps)
    assert np.all(np.diff(np.array(steps)[kept]) > 0)


# ---- what is no log


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"PK\x03\x04\x00\x00", "is binary"),
        (b"hello\nworld\n", "is in no known format .*'hello'"),
        (b"epoch,accuracy\n1,2\n", "has columns epoch, accuracy; needed a step .* and a loss"),
        (b"step,accuracy\n1,2\n", r"needed a loss \(loss"),
        (b"loss,lr\n1,2\n", r"needed a step \(step"),
        (b'{"a": 1}\n', "has columns a; needed"),
        (b'{\n "a": 1\n}', "JSON without log_history"),
        (b'{"log_history": 3}', "must be a list of objects"),
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
    with pytest.raises(UsageError, match="format must be one of nanogpt"):
        read_log(path, "tsv")
    assert "csv" in FORMATS


def test_no_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no log at"):
        read_log(tmp_path / "none")
    with pytest.raises(UsageError, match="has no log"):
        read_log(tmp_path)


@pytest.mark.long
def test_a_million_lines_are_read(tmp_path: Path) -> None:
    lines = "\n".join(f"iter {s}: loss 3.5000, time 12.00ms, mfu 30.00%" for s in range(1_000_000))

    log = read_log(write(tmp_path, lines))

    assert log.batch.size == 1_000_000


_PIECES = [
    "step 5: train loss 3.5, val loss 3.6",
    "iter 7: loss nan",
    "iter 99999999999999: loss 1e308, time 1.0ms, mfu 1%",
    "s:3 tel:4.5",
    "step:1/2 val_loss:4.5",
    "Step 4 | Validation bpb: 1.5",
    "step,loss,val_loss,lr\n1,3,4,0\n2,3,inf,0",
    '{"step": 1, "loss": 1e400}',
    '{"log_history": [{"step": -5, "loss": 3}]}',
    "number of parameters: 0.00M\ntokens per iteration will be: 0",
    "\r",
    "\x1b[31m",
    "é;,\t",
]


@settings(deadline=None)
@example(pieces=['"', "step 5: train loss 3.5, val loss 3.6"])
@given(pieces=st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=9)), max_size=12))
def test_whatever_stands_in_a_log_is_weighed_or_refused(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    path = write(tmp_path_factory.mktemp("log"), "\n".join(pieces).encode("utf-8", "replace"))

    for form in (None, *FORMATS):
        assert judge(path, form) == "fine"


def judge(path: Path, form: str | None) -> str:
    """Say whether a log is weighed whole, or refused in one line."""
    try:
        diagnosis = weigh_log(path, format=form)
    except (InputError, UsageError) as error:
        return str(error) if "\n" in str(error) else "fine"
    diagnosis.describe()
    return "fine" if len(diagnosis.result.hypotheses) == 12 else "hypotheses are missing"
