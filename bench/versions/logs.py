"""Training logs and configs, as the programs that `assay diagnose` reads write them.

The losses follow a power law of the steps with noise from a fixed seed, and do what each file's
name says: fall, turn, jump, stop.
"""

import gzip
from pathlib import Path
from random import Random

from bench.versions.log_formats import FORMATS
from bench.versions.log_shapes import SHAPES

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
