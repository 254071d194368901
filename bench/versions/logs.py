"""Training logs and configs, as the programs that `assay diagnose` reads write them.

The losses follow a power law of the steps with noise from a fixed seed, and do what each file's
name says: fall, turn, jump, stop.
"""

import gzip
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

STEPS, EVERY = 2_000, 50
# A model of 40.56M parameters, as large as published laws of repeated tokens reach.
LARGE = """out_dir = "out-125M-large"
batch_size = 16
block_size = 1024
gradient_accumulation_steps = 32
n_layer = 12
n_head = 12
n_embd = 384
dropout = 0.1
learning_rate = 1e-3
min_lr = 1e-4
warmup_iters = 500
max_iters = 20000
lr_decay_iters = 20000
beta2 = 0.99
"""
CONFIG = """# a small run
out_dir = "out-30M-small"
wandb_project = "small"
batch_size = 16
block_size = 256
gradient_accumulation_steps = 2 * 2
n_layer = 4
n_head = 4
n_embd = 128
dropout = 0.0
max_iters = 2000
lr_decay_iters = 2000
warmup_iters = 100
learning_rate = 1e-3
min_lr = 1e-4
eval_interval = 50
eval_iters = 100
"""


def loss_at(step: int) -> float:
    """Return a healthy run's loss."""
    return 3.0 + 7.8 / (1 + step / 20) ** 0.55


def rate_at(step: int) -> float:
    """Return the learning rate of CONFIG's schedule."""
    if step < 100:
        return 1e-3 * (step + 1) / 101
    return 1e-4 + 0.5 * 9e-4 * (1 + math.cos(math.pi * min(1.0, (step - 100) / 1900)))


def _healthy(step: int) -> tuple[float, float]:
    return loss_at(step), loss_at(step) + 0.02


def _overfits(step: int) -> tuple[float, float]:
    turn = max(0, step - 800)
    return loss_at(step) - turn / 2000, loss_at(step) + turn / 1500


def _flat(step: int) -> tuple[float, float]:
    return loss_at(min(step, 700)), loss_at(min(step, 700)) + 0.01


def _easy_val(step: int) -> tuple[float, float]:
    return loss_at(step), loss_at(step) - 0.4


def _spikes(step: int) -> tuple[float, float]:
    jump = 3.0 if 900 <= step < 1_000 else 0.0
    return loss_at(step) + jump, loss_at(step) + jump + 0.02


SHAPES: dict[str, Callable[[int], tuple[float, float]]] = {
    "healthy": _healthy,
    "overfits": _overfits,
    "flat": _flat,
    "easy-val": _easy_val,
    "spikes": _spikes,
}


def write_nanogpt(
    shape: str, *, last: int = STEPS, first: int = 0, prefix: str = "", seed: int = 7
) -> str:
    """Write what nanoGPT prints: an evaluation every 50 steps, a batch's loss every 10."""
    random = Random(seed)
    lines = [
        "tokens per iteration will be: 16,384",
        "defaulting to vocab_size of GPT-2 to 50304 (50257 rounded up for efficiency)",
        "number of parameters: 7.23M",
    ]
    for step in range(first, last + 1, 10):
        train, val = SHAPES[shape](step)
        if step % EVERY == 0:
            pair = (loss + random.gauss(0, 0.005) for loss in (train, val))
            lines.append("step {}: train loss {:.4f}, val loss {:.4f}".format(step, *pair))
        loss = train + random.gauss(0, 0.05)
        mfu = -100.0 if step < 50 else 24.5 + random.gauss(0, 0.1)
        lines.append(f"iter {step}: loss {loss:.4f}, time {530:.2f}ms, mfu {mfu:.2f}%")
    return "\n".join(prefix + line for line in lines) + "\n"


def write_large() -> str:
    """Write what a large run prints: 14,500 of 20,000 steps, val a little under train."""
    random = Random(3)
    lines = []
    for step in range(0, 14_501, 100):
        loss = 3.4 + 7.5 / (1 + step / 60) ** 0.55
        if step % 500 == 0:
            train, val = (loss - shift + random.gauss(0, 0.007) for shift in (0.0, 0.065))
            lines.append(f"step {step}: train loss {train:.4f}, val loss {val:.4f}")
        noisy = loss + random.gauss(0, 0.11)
        lines.append(f"iter {step}: loss {noisy:.4f}, time 5300.00ms, mfu 24.50%")
    return "\n".join(lines) + "\n"


def _steps(every: int = 20) -> Iterator[tuple[int, float, float]]:
    random = Random(11)
    for step in range(0, 1_001, every):
        yield step, loss_at(step) + random.gauss(0, 0.03), loss_at(step) + random.gauss(0, 0.005)


def _write_llmc() -> str:
    lines = []
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"s:{step} tel:{val:.4f}")
        lines.append(f"s:{step} trl:{loss:.4f} lr:{rate_at(step):.6f} norm:{1 + loss % 1:.2f}")
    return "\n".join(lines) + "\n"


def _write_llmc_output() -> str:
    lines = [
        "num_parameters: 124475904 => bytes: 248951808",
        "batch_size B=64 * seq_len T=1024 * num_processes=8 and total_batch_size=524288",
    ]
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"val loss {val:.3f}")
        lines.append(
            f"step {step + 1:4d}/1001 | loss {loss:.6f} (+0.10z)| norm 0.50 (+0.10z)| "
            f"lr {rate_at(step):.2e} | 211.50 ms | 47.1% bf16 MFU | 2479000 tok/s"
        )
    return "\n".join(lines) + "\n"


def _write_modded() -> str:
    lines = []
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"step:{step}/1000 val_loss:{val:.4f} train_time:{step * 90}ms")
        lines.append(f"step:{step}/1000 train_loss:{loss:.4f} train_time:{step * 90}ms")
    return "\n".join(lines) + "\n"


def _write_nanochat() -> str:
    lines = ["Total batch size 524,288 => gradient accumulation steps: 1"]
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"Step {step:05d} | Validation bpb: {val / 3:.4f}")
        lines.append(
            f"step {step:05d}/01000 ({step / 10:.2f}%) | loss: {loss:.6f} | grad norm: 0.3000 | "
            "lrm: 1.00 | dt: 300.00ms | tok/sec: 1,000 | mfu: 40.00"
        )
    return "\n".join(lines) + "\n"


def _write_build_nanogpt() -> str:
    lines = ["total desired batch size: 524288"]
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"validation loss: {val:.4f}")
        lines.append(
            f"step {step:5d} | loss: {loss:.6f} | lr {rate_at(step):.4e} | norm: 0.2500 | "
            "dt: 330.50ms | tok/sec: 158000.00"
        )
    return "\n".join(lines) + "\n"


def _write_log_txt() -> str:
    lines = []
    for step, loss, val in _steps():
        if step % 100 == 0:
            lines.append(f"{step} val {val:.4f}")
        lines.append(f"{step} train {loss:.6f}")
    return "\n".join(lines) + "\n"


def _write_trainer_state() -> str:
    history: list[dict[str, float]] = []
    for step, loss, val in _steps():
        history.append(
            {"step": step, "loss": round(loss, 4), "learning_rate": rate_at(step),
             "grad_norm": 1.5, "epoch": step / 500}
        )  # fmt: skip
        if step % 100 == 0:
            history.append({"step": step, "eval_loss": round(val, 4), "epoch": step / 500})
    return json.dumps({"max_steps": 1000, "log_history": history}, indent=2)


def _write_csv() -> str:
    rows = [f"{step},{loss:.4f},{val:.4f},{rate_at(step):.3e}" for step, loss, val in _steps()]
    return "\n".join(['global_step,"run-1 - train/loss",Val/Loss,learning_rate', *rows]) + "\n"


def _write_semicolons() -> str:
    rows = [f"{step};{loss:.4f}".replace(".", ",") for step, loss, _ in _steps()]
    return "\n".join(["step;loss", *rows, "oops;1", ";4,0"]) + "\n"


def _write_json_lines() -> str:
    rows = [json.dumps({"step": step, "loss": loss, "val": {"loss": val}, "lr": rate_at(step)})
            for step, loss, val in _steps()]  # fmt: skip
    return "\n".join([*rows, '{"step": 2000, "lo', "[1]"]) + "\n"


FORMATS: dict[str, tuple[str, Callable[[], str]]] = {
    "llmc": ("main.log", _write_llmc),
    "llmc-output": ("output.log", _write_llmc_output),
    "modded": ("modded.log", _write_modded),
    "nanochat": ("nanochat.log", _write_nanochat),
    "build-nanogpt": ("printed.log", _write_build_nanogpt),
    "log-txt": ("log.txt", _write_log_txt),
    "trainer": ("trainer_state.json", _write_trainer_state),
    "csv": ("export.csv", _write_csv),
    "semicolons": ("sheet.csv", _write_semicolons),
    "jsonl": ("rows.jsonl", _write_json_lines),
}
BAD = {
    "empty.log": b"",
    "binary.log": b"\0\1\2" * 400,
    "prose.log": b"nothing is said here of any step\nnor of a loss\n",
    "nan.log": b"iter 1: loss nan\niter 2: loss inf\n",
    "hf.log": b"{'loss': 3.5, 'learning_rate': 5e-05, 'epoch': 0.01}\n",
    "no-history.json": b'{"a": 1}\n',
    "broken.json": b'{"log_history": [\n',
    "names.csv": b"when,what\n1,2\n",
    "cut.log.gz": gzip.compress(b"iter 1: loss 3.0\n" * 500, mtime=0)[:40],
    "events.out.tfevents.1": b"\0\1",
    "run-1.wandb": b"\0\1",
}


def write_logs(folder: Path) -> None:
    """Write every log, good and bad, and the configs that go with them."""
    folder.mkdir()
    for shape in SHAPES:
        (folder / f"{shape}.log").write_text(write_nanogpt(shape))
    (folder / "unfinished.log").write_text(write_nanogpt("healthy", last=1_300))
    resumed = write_nanogpt("healthy", last=900) + write_nanogpt("healthy", first=850, seed=8)
    (folder / "resumed.log").write_text(resumed + "step 2050: train loss 3.1, val lo")
    stamped = write_nanogpt("healthy", last=400, prefix="[2026-11-01 10:00:00,000][INFO] ")
    (folder / "stamped.log").write_text(stamped)
    (folder / "nan-later.log").write_text(
        write_nanogpt("healthy", last=600) + "iter 610: loss nan\nstep 650: train loss nan, val "
        "loss nan\n"
    )
    (folder / "large.log").write_text(write_large())
    (folder / "large.py").write_text(LARGE)
    packed = gzip.compress(write_nanogpt("flat").encode(), mtime=0)
    (folder / "packed.log.gz").write_bytes(packed)
    for name, (file, write) in FORMATS.items():
        (folder / name).mkdir()
        (folder / name / file).write_text(write())
    (folder / "bad").mkdir()
    for name, data in BAD.items():
        (folder / "bad" / name).write_bytes(data)
    (folder / "config.py").write_text(CONFIG)
    longer = CONFIG.replace("lr_decay_iters = 2000", "lr_decay_iters = 9000")
    (folder / "longer.py").write_text(longer)
    (folder / "code.py").write_text("import os\nbatch_size = int(os.environ['B'])\n")
    (folder / "wrong.toml").write_text("n_layer = [1\n")
    (folder / "unknown.toml").write_text("n_layers = 1\n")
    (folder / "tiny.toml").write_text(
        "n_layer = 1\nn_head = 2\nn_embd = 16\nblock_size = 16\nbatch_size = 8\n"
        "max_iters = 3\nlr_decay_iters = 3\n"
    )
