"""The case that assay starts from, made again from the numbers that were stated.

One run of nanoGPT: its config, and a log whose losses are those of the note: 10.87 at step 0; from
10,000 to 14,500 train 3.64 to 3.71 and val 3.57 to 3.65, with the wiggles that 200 batches of 16
windows give.
"""

import math
from random import Random

CONFIG = """# one FineWeb parquet on one GPU
wandb_log = True
wandb_project = "gpt"
wandb_run_name = "125M-single-parquet-4070"
out_dir = "out-single"
dataset = "fineweb"

batch_size = 16
block_size = 1024
gradient_accumulation_steps = 32  # 524,288 tokens a step

n_layer = 12
n_head = 12
n_embd = 384
dropout = 0.1
bias = False

learning_rate = 1e-3
min_lr = 1e-4
warmup_iters = 500
max_iters = 20000
lr_decay_iters = 20000
beta2 = 0.99

eval_interval = 500
eval_iters = 200
log_interval = 10
"""
LAST, EVERY = 14_500, 500
_START = 10.87
NOISE = 0.0072  # sd of one evaluation: 0.41 nats a window, 3,200 windows


def learning_rate_at(step: int) -> float:
    """nanoGPT's schedule with the settings above."""
    if step < 500:
        return 1e-3 * (step + 1) / 501
    done = (step - 500) / (20_000 - 500)
    return 1e-4 + 0.5 * (1e-3 - 1e-4) * (1 + math.cos(math.pi * done))


def losses_at(step: int) -> tuple[float, float]:
    """Train and val loss without noise: a power law of the steps and a decay with the rate.

    From 10,000 to 14,500 they fall by 0.057, as a healthy run's do; val lies 0.065 under train, as
    an easy validation set does.
    """
    if step == 0:
        return _START, _START
    summed = sum(learning_rate_at(k) for k in range(0, step, 50)) * 50 / 1e-3
    decayed = 1 - learning_rate_at(max(step, 500)) / 1e-3
    train = 3.4646 + 25.4 * (summed + 60) ** -0.5 - 0.1 * decayed
    train += (_START - 3.4646 - 25.4 * 60**-0.5) * math.exp(-step / 100)
    return train, train - 0.065


def make_log(seed: int = 2, *, last: int = LAST) -> str:
    """Write the log as nanoGPT prints it."""
    random = Random(seed)
    lines = [
        "tokens per iteration will be: 524,288",
        "defaulting to vocab_size of GPT-2 to 50304 (50257 rounded up for efficiency)",
        "number of parameters: 40.56M",
        "num decayed parameter tensors: 50, with 40,943,616 parameters",
        "num non-decayed parameter tensors: 25, with 9,600 parameters",
        "using fused AdamW: True",
        "compiling the model... (takes a ~minute)",
    ]
    for step in range(0, last + 1, 10):
        train, val = losses_at(step)
        if step % EVERY == 0:
            pair = (loss + random.gauss(0, NOISE if step else 0) for loss in (train, val))
            lines.append("step {}: train loss {:.4f}, val loss {:.4f}".format(step, *pair))
            if step:
                lines.append("saving checkpoint to out-single")
        loss = train + random.gauss(0, 0.11)
        mfu = -100.0 if step < 50 else 24.5 + random.gauss(0, 0.1)
        milliseconds = 5_300 + random.gauss(0, 30)
        lines.append(f"iter {step}: loss {loss:.4f}, time {milliseconds:.2f}ms, mfu {mfu:.2f}%")
    return "\n".join(lines) + "\n"
