"""Other programs' logs as they print them, and the odd shapes that logs come in."""

import json
from pathlib import Path

import pytest

from assay.diagnose.logs.read_log import read_log
from assay.diagnose.run import weigh_log
from assay.errors import InputError
from tests.support.logs import notes, pairs, write

LLMC_CUDA = """num_parameters: 124475904 => bytes: 248951808
batch_size B=64 * seq_len T=1024 * num_processes=8 and total_batch_size=524288
val loss 11.009
step    1/20 | loss 10.950000 (+nanz)| norm 15.39 (+nanz)| lr 8.57e-07 | 211.50 ms | 47.1% bf16 MFU
step    2/20 | loss 10.500000 (-1.25z)| norm 0.50 (+0.10z)| lr 1.71e-06 | 209.25 ms | 47.6% bf16 MFU
val loss 10.250000
HellaSwag: 2450/10042 = 0.243976
step    3/20 | loss 10.250000 (-1.00z)| norm 0.50 (+0.10z)| lr 2.50e-06 | 209.00 ms | 47.6% bf16 MFU
val loss 10.125000
"""


def test_what_llmc_prints_is_read_with_its_steps(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, LLMC_CUDA))

    assert log.format == "llm.c-output"
    assert pairs(log.batch) == [(1, 10.95), (2, 10.5), (3, 10.25)]
    assert pairs(log.val) == [(0, 11.009), (2, 10.25), (3, 10.125)]
    assert pairs(log.lr)[0] == (1, 8.57e-07)
    assert log.notes == ()
    assert pairs(log.milliseconds)[1] == (2, 209.25)
    assert log.facts == {"total_steps": 20, "tokens_per_step": 524_288, "parameters": 124_475_904}


def test_the_python_and_c_twins_of_llmc_are_read(tmp_path: Path) -> None:
    line = "step   {}/20 | train loss {} | norm 1.5 | lr 1.00e-04 | (100.50 ms | 5217 tok/s)"
    python = read_log(write(tmp_path, f"{line.format(1, 9.5)}\nval loss 9.25\n"))
    c = read_log(write(tmp_path, "val loss 5.3\nstep 0: train loss 5.25 (took 1.5 ms)\n"))

    assert (pairs(python.batch), pairs(python.val)) == ([(1, 9.5)], [(1, 9.25)])
    assert (c.format, pairs(c.batch), pairs(c.val)) == ("llm.c-output", [(0, 5.25)], [(0, 5.3)])


def test_build_nanogpt_is_read_from_either_of_its_logs(tmp_path: Path) -> None:
    line = "step {:5d} | loss: {} | lr 6.0000e-04 | norm: 0.25 | dt: 330.50ms | tok/sec: 158.0"
    printed = read_log(
        write(tmp_path, f"{line.format(249, 3.5)}\nvalidation loss: 3.25\n{line.format(250, 3.5)}")
    )
    kept = read_log(write(tmp_path, "0 val 10.95\n0 hella 0.25\n0 train 10.5\n250 val 6.5\n"))

    assert (printed.format, pairs(printed.val)) == ("build-nanogpt", [(249, 3.25)])
    assert pairs(printed.batch) == [(249, 3.5), (250, 3.5)]
    assert pairs(printed.lr) == [(249, 6e-4), (250, 6e-4)]
    assert (kept.format, pairs(kept.val)) == ("build-nanogpt", [(0, 10.95), (250, 6.5)])
    assert pairs(kept.batch) == [(0, 10.5)]


def test_nanochat_without_its_total_is_read(tmp_path: Path) -> None:
    lines = (
        "step 00010 (1.50%) | loss: 4.5 | lrm: 0.50 | dt: 9.00ms\nStep 00010 | Validation bpb: 1.5"
    )

    log = read_log(write(tmp_path, lines))

    assert (log.format, pairs(log.batch)) == ("nanochat", [(10, 4.5)])
    assert (pairs(log.lr), pairs(log.val)) == ([(10, 0.5)], [(10, 1.5)])


@pytest.mark.parametrize("step", ["12,000", "12.000", "12_000", " 12000", "12'000"])
def test_a_step_may_be_padded_or_have_its_thousands_apart(tmp_path: Path, step: str) -> None:
    log = read_log(write(tmp_path, f"step {step}: train loss 3.5, val loss 3.25\n"))

    assert pairs(log.val) == [(12_000, 3.25)]


@pytest.mark.parametrize("cut", ["step 20: train loss 3.5000, val loss 3", "iter 20: loss 3.4"])
def test_a_number_that_breaks_off_is_not_read(tmp_path: Path, cut: str) -> None:
    whole = "iter 10: loss 3.7500\nstep 10: train loss 3.7500, val loss 3.7500\n"

    log = read_log(write(tmp_path, whole + cut))

    assert (log.last_step, pairs(log.val)) == (10, [(10, 3.75)])
    assert f"the last line breaks off ({cut!r}); ignored" in notes(log)


def test_a_last_line_that_is_whole_needs_no_line_end(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "iter 1: loss 3.75, time 5.0ms\niter 2: loss 3.50, time 5."))

    assert (pairs(log.batch), log.notes) == ([(1, 3.75), (2, 3.5)], ())


def test_a_short_table_out_of_order_is_sorted(tmp_path: Path) -> None:
    order = [5, 1, 9, 3, 7, 2, 8, 4, 6]

    log = read_log(write(tmp_path, "step,loss\n" + "".join(f"{s},{s}.5\n" for s in order)))

    assert pairs(log.batch) == [(s, s + 0.5) for s in range(1, 10)]
    assert "steps are not in order; sorted" in notes(log)


def test_thousands_and_spaces_in_a_table_are_understood(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, 'Step,Val Loss\n900,4.5\n"1,000",4.25\n'))

    assert (pairs(log.val), log.notes) == ([(900, 4.5), (1000, 4.25)], ())


def test_columns_may_be_parted_by_spaces(tmp_path: Path) -> None:
    log = read_log(
        write(
            tmp_path, "  step  train_loss  val_loss\n    10      4.5000      4.75\n  20 4.0 4.25\n"
        )
    )

    assert (pairs(log.train), pairs(log.val)) == ([(10, 4.5), (20, 4.0)], [(10, 4.75), (20, 4.25)])


def test_runs_side_by_side_in_one_export_are_told(tmp_path: Path) -> None:
    text = '"Step","a - val/loss","a - val/loss__MIN","b - val/loss"\n1,4.5,4.4,5.5\n'

    log = read_log(write(tmp_path, text))

    assert pairs(log.val) == [(1, 4.5)]
    assert "val: 2 columns of that name (a - val/loss, b - val/loss); a - val/loss is" in notes(log)


@pytest.mark.parametrize(("name", "kind"), [("run_train.csv", "batch"), ("run_val.csv", "val")])
def test_an_export_of_tensorboard_goes_by_its_files_name(
    tmp_path: Path, name: str, kind: str
) -> None:
    log = read_log(write(tmp_path, "Wall time,Step,Value\n1.5e9,10,4.5\n", name))

    assert pairs(getattr(log, kind)) == [(10, 4.5)]


def test_json_may_be_nested_or_a_list_or_hold_strings(tmp_path: Path) -> None:
    rows = [{"step": 1, "val": {"loss": "4.5"}}, {"step": 2, "val": {"loss": 4.25}}]

    lines = read_log(write(tmp_path, "\n".join(map(json.dumps, rows))))
    whole = read_log(write(tmp_path, json.dumps(rows, indent=1)))

    assert pairs(lines.val) == pairs(whole.val) == [(1, 4.5), (2, 4.25)]


def test_what_a_hugging_face_trainer_prints_has_no_steps(tmp_path: Path) -> None:
    path = write(tmp_path, "{'loss': 3.5, 'learning_rate': 5e-05, 'epoch': 0.01}\n")

    with pytest.raises(InputError, match=r"prints no steps; use the trainer_state\.json"):
        read_log(path)


def test_a_count_of_evaluations_is_told_from_steps(tmp_path: Path) -> None:
    path = write(tmp_path, "Step,val/loss\n" + "".join(f"{s},4.5\n" for s in range(12)))

    case = weigh_log(path, config="--params 1M --batch-tokens 1000 --iters 5000").run

    assert any("a count of evaluations, as wandb's Step is" in note for note in case.notes)


def test_a_thousand_blank_lines_cost_no_time(tmp_path: Path) -> None:
    line = "step 1/2 | loss 9.5 | norm 1.5 | lr 1.00e-04 | (1.5 ms | 5 tok/s)"

    log = read_log(write(tmp_path, line + "\n" * 1_000 + "val los\n"))

    assert (pairs(log.batch), log.val.size) == ([(1, 9.5)], 0)


@pytest.mark.parametrize("gap", [" ", "\t", ";"])
def test_steps_have_thousands_and_losses_decimals_whatever_parts_the_columns(
    tmp_path: Path, gap: str
) -> None:
    log = read_log(write(tmp_path, f"step{gap}loss\n900{gap}3,512\n1,000{gap}3,412\n"))

    assert pairs(log.batch) == [(900, 3.512), (1000, 3.412)]
    assert "column loss: decimal commas" in notes(log)


def test_a_quoted_loss_with_a_comma_is_no_thousand(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, 'step,loss,lr\n900,"3,512",1\n"1,000","3,412",1\n'))

    assert pairs(log.batch) == [(900, 3.512), (1000, 3.412)]
    assert "column loss: decimal commas" in notes(log)


@pytest.mark.parametrize(
    "line",
    [
        "step 1 | loss: 3.0 | lr 1e-3 | norm: 1.0 ",
        "step 1 ",
        "step 1/2 | loss 3.0 (",
        "step 1 (",
    ],
)
def test_many_steps_in_one_line_cost_no_time(tmp_path: Path, line: str) -> None:
    log = write(tmp_path, "step 1 | loss: 3.0 | lr 1e-3 | norm: 1.0\n" + line * 100_000)

    assert read_log(log).batch.size == 1  # in under a second; it took hours


def test_many_spaces_in_one_line_cost_no_time(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, "step  loss\n1" + " " * 1_000_000 + "3.5\n"))

    assert pairs(log.batch) == [(1, 3.5)]


def test_a_step_beyond_any_run_is_not_read(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, f"iter 1: loss 3.0\niter 1{',000' * 9}: loss 2.9\n"))

    assert pairs(log.batch) == [(1, 3.0)]
    assert "1 line of nanogpt's kind cannot be read" in notes(log)
