"""Which column is which: the names that programs give to steps, losses and learning rates."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from assay.diagnose.logs.gatherer import Gatherer
from assay.errors import InputError
from assay.terminal.text import show_line

# Read as val only where there is no val loss in nats a token.
_BITS = ("val/bpb", "val_bpb", "valid_bpb", "validation_bpb", "eval/bpb", "eval_bpb", "bpb")
_OWN = "held_out_loss"  # what assay's own runs call it
ALIASES = {
    "step": (
        *("step", "iter", "iteration", "iterations", "global_step", "_step", "steps", "it"),
        *("trainer/global_step", "train/global_step", "iter_num", "update"),
    ),
    "batch": (
        *("loss", "train_loss", "train/loss", "training_loss", "loss/train", "lossf", "ce_loss"),
        *("train_loss_step", "train/ce_loss", "batch_loss"),
    ),
    "val": (
        *("val_loss", "val/loss", "valid_loss", "validation_loss", "eval_loss", "eval/loss"),
        *("loss/val", "valid/loss", "test_loss", "validation/loss", "dev_loss"),
        *("held_out_loss", *_BITS),
    ),
    "lr": ("lr", "learning_rate", "train/learning_rate", "train/lr", "optim/lr", "lr-adamw"),
    "grad_norm": ("grad_norm", "train/grad_norm", "gradient_norm", "gnorm", "total_norm", "norm"),
    "mfu": ("mfu",),
}
# Under these names nanoGPT logs an evaluation, not a batch, when it logs it together with val.
_SHARE_TOGETHER = 0.8
# A word of a file's name, not a part of one: an interval, the latest and a device validate nothing.
_VALIDATES = re.compile(r"(?<![a-z])(val|valid|validation|eval|evaluation|test|dev)(?![a-z])")


def choose_columns(names: Iterable[str], where: str = "") -> dict[str, str]:
    """Return the column of each kind, the kind's first alias winning; case and spaces aside.

    wandb's exports name a column `run - train/loss`: what follows the last ` - ` counts. In those
    of TensorBoard the loss is called Value, and the file's name tells whose.

    Args:
        names: Of the columns.
        where: Name of the file.
    """
    # Of several the first wins: it is written last.
    columns = {_simplify(name): name for name in reversed(list(names))}
    chosen = {
        kind: columns[alias]
        for kind, aliases in ALIASES.items()
        for alias in reversed(aliases)
        if alias in columns
    }
    if "value" in columns and "wall_time" in columns:
        chosen["val" if _VALIDATES.search(where.lower()) else "batch"] = columns["value"]
    return chosen


def _simplify(name: str) -> str:
    return "_".join(name.rsplit(" - ", 1)[-1].strip().strip('"').lower().split())


def has_steps_and_losses(names: Iterable[str]) -> bool:
    """Tell whether these are names of a table's columns: steps, and losses, are among them."""
    chosen = choose_columns(names)
    return "step" in chosen and bool({"batch", "val"} & chosen.keys())


def begin_table(path: Path, form: str, names: Sequence[str]) -> tuple[Gatherer, dict[str, str]]:
    """Begin to gather a table; return the gatherer, and the column of each kind.

    Noted are several columns of one name, as an export of several runs has them, and a validation
    loss of another kind than the loss of batches.

    Raises:
        InputError: No steps or no losses are among its columns.
    """
    chosen = choose_columns(names, path.name)
    missing = [] if "step" in chosen else ["a step (step, iter, global_step, _step)"]
    if not {"batch", "val"} & chosen.keys():
        missing.append("a loss (loss, train_loss, val_loss, eval_loss, val_bpb)")
    if missing:
        listed = ", ".join(show_line(name, 40) for name in names[:12]) or "none"
        raise InputError(f"{path} has columns {listed}; needed {' and '.join(missing)}")
    gathered = Gatherer(path, form)
    for kind, column in chosen.items():
        same = [name for name in names if _simplify(name) == _simplify(column)]
        if len(same) > 1:
            listed = ", ".join(show_line(name, 40) for name in same[:4])
            gathered.notes.append(
                f"{kind}: {len(same):,} columns of that name ({listed}); {show_line(column, 40)} "
                "is read, export the run you mean alone"
            )
    val = _simplify(chosen.get("val", ""))
    if val == _OWN:
        gathered.score_alone()
    elif val in _BITS:
        gathered.val_unit = "bits/byte"
    return gathered, chosen


def add_columns(
    gathered: Gatherer, step_N: np.ndarray, columns: dict[str, tuple[np.ndarray, np.ndarray]]
) -> None:
    """Add columns to what was gathered.

    Args:
        gathered: Takes them.
        step_N: Steps, float64 (rows,); NaN where a row has none.
        columns: By kind, values and which rows have one (a value may be NaN and be there).
    """
    known_N = np.isfinite(step_N)
    for kind, (value_N, present_N) in columns.items():
        here_N = present_N & known_N
        paired = kind == "batch" and not gathered.val_alone and _is_evaluation(columns)
        gathered.add("train" if paired else kind, step_N[here_N], value_N[here_N])


def _is_evaluation(columns: dict[str, tuple[np.ndarray, np.ndarray]]) -> bool:
    """Tell whether the train loss was measured with the val loss: nanoGPT's wandb log."""
    if "val" not in columns or "batch" not in columns:
        return False
    train_N, val_N = columns["batch"][1], columns["val"][1]
    return bool((train_N & val_N).sum() >= _SHARE_TOGETHER * max(1, train_N.sum()))
