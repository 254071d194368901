"""Logs in odd shapes, and configs that say unusual things."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from bench.versions.log_shapes import loss_at
from bench.versions.logs import CONFIG, write_nanogpt


def write_odd_logs(folder: Path) -> None:
    """Write `logs/` and `configs/`."""
    for name, texts in (("logs", ODD_LOGS), ("configs", CONFIGS)):
        (folder / name).mkdir(parents=True)
        for file, text in texts.items():
            (folder / name / file).write_text(text)


def _rows(every: int = 50, last: int = 1_000, noise: float = 0.005) -> Iterator[tuple[int, float]]:
    random = Random(21)
    for step in range(0, last + 1, every):
        yield step, loss_at(step) + random.gauss(0, noise)


def _shuffle() -> str:
    rows = [f"{step},{loss:.4f}" for step, loss in _rows()]
    Random(1).shuffle(rows)
    return "\n".join(["step,loss", *rows]) + "\n"


def _write_lists() -> str:
    steps, losses = zip(*_rows(), strict=True)
    return json.dumps({"step": steps, "train_loss": losses, "val_loss": losses[:5], "name": "a"})


def _write_ranks() -> str:
    lines = []
    for step, loss in _rows(10):
        for rank in (0, 1):
            lines.append(f"[rank{rank}]: iter {step}: loss {loss + rank / 50:.4f}, time 9.00ms")
        if step % 50 == 0:
            lines.append(f"[rank0]: step {step}: train loss {loss:.4f}, val loss {loss + 0.1:.4f}")
    return "\n".join(lines) + "\n"


def _spike() -> str:
    random = Random(5)
    lines = []
    for step, loss in _rows(5):
        jump = 4.0 if step % 75 == 0 and step > 200 else 0.0
        lines.append(
            f"step {step:5d} | loss: {loss + jump:.6f} | lr 1.0000e-03 | "
            f"norm: {(30 if jump else 1) + random.random():.4f} | dt: {300 + jump * 90:.2f}ms"
        )
    return "\n".join(lines) + "\n"


def _evaluate(every: int, last: int, noise: float) -> str:
    lines = [
        f"step {step}: train loss {loss:.4f}, val loss {loss + 0.01:.4f}"
        for step, loss in _rows(every, last, noise)
    ]
    return "\n".join(lines) + "\n"


_LINE = "iter 10: loss 3.7500\nstep 10: train loss 3.7500, val loss 3.7500\n"
ODD_LOGS = {
    "unordered.csv": _shuffle(),
    "spaces.txt": "  step  train_loss  val_loss\n    10      4.5000      4.75\n  20 4.0 4.25\n",
    "lists.json": _write_lists(),
    "rows.json": json.dumps([{"step": step, "loss": str(loss)} for step, loss in _rows()]),
    "ranks.log": _write_ranks(),
    "cut.log": f"{_LINE}step 20: train loss 3.5000, val loss 3",
    "commas.log": "iter 1: loss 3,7500\niter 2: loss 3,5000\n",
    "quoted.csv": 'Step,Val Loss\n900,"4,5"\n"1,000","4,25"\n',
    "thousands.csv": 'Step,Val Loss\n900,4.5\n"1,000",4.25\n',
    "run-validation-loss.csv": "Wall time,Step,Value\n1.5e9,10,4.5\n1.6e9,20,4.25\n",
    "two-runs.csv": '"Step","a - val/loss","a - val/loss__MIN","b - val/loss"\n1,4.5,4.4,5.5\n',
    "counts.csv": "Step,val/loss\n" + "".join(f"{step},4.5\n" for step in range(12)),
    "spikes.log": _spike(),
    "few.log": _evaluate(500, 1_000, 0.005),
    "noisy.log": _evaluate(50, 2_000, 0.4),
    "beyond.log": f"iter 1: loss 3.0\niter 1{',000' * 9}: loss 2.9\n",
    "bits.csv": "step,val_bpb\n" + "".join(f"{step},{loss / 3:.4f}\n" for step, loss in _rows()),
    "short.log": write_nanogpt("healthy", last=60),
}
CONFIGS = {
    "constant.py": f"{CONFIG}decay_lr = False\n",
    "high-rate.py": f"{CONFIG}learning_rate = 0.05\n",
    "float16.py": f"{CONFIG}dtype = 'float16'\n",
    "gpt2.py": f"{CONFIG}init_from = 'gpt2'\n",
    "finished.py": f"{CONFIG}lr_decay_iters = 1500\n",
    "nearly.py": f"{CONFIG}lr_decay_iters = 2100\n",
    "dropout.py": f"{CONFIG}dropout = 0.2\n",
    "arithmetic.py": f'"""A docstring."""\n{CONFIG}n_layer: int = 2\nbatch_size = 2**4\n'
    "weight_decay = -0.1\n",
    "huge.py": f"{CONFIG}batch_size = 9**99\n",
    "syntax.py": f"{CONFIG}batch_size = = 3\n",
    "zero.py": f"{CONFIG}batch_size = 0\n",
    "many-steps.py": f"{CONFIG}max_iters = 50000000\n",
    "settings.toml": "n_layer = 4\nn_head = 4\nn_embd = 128\nblock_size = 256\nbatch_size = 16\n"
    "gradient_accumulation_steps = 4\nmax_iters = 2000\nlearning_rate = 1e-3\n",
}
