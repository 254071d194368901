"""A made run of 2,000 steps, healthy or not."""

from pathlib import Path
from random import Random

from tests.support.logs import write


def make_curves(
    folder: Path,
    *,
    val_shift: float = 0.0,
    overfits: bool = False,
    finished: bool = True,
    settings: str = "",
) -> Path:
    """Write a log and a config of a run of 2,000 steps; returns the log."""
    random = Random(7)
    last = 2_000 if finished else 1_300
    (folder / "c.py").write_text(
        "batch_size = 16\nblock_size = 256\ngradient_accumulation_steps = 1\nn_layer = 4\n"
        "n_head = 4\nn_embd = 128\nmax_iters = 2000\nlr_decay_iters = 2000\nwarmup_iters = 100\n"
        "learning_rate = 1e-3\nmin_lr = 0.0\ndropout = 0.0\n" + settings
    )
    lines = []
    for step in range(0, last + 1, 50):
        loss = 3.0 + 7.8 / (1 + step / 20) ** 0.55
        train, val = loss, loss + val_shift
        if overfits and step > 800:
            train, val = loss - (step - 800) / 2000, loss + (step - 800) / 1500
        noise = (random.gauss(0, 0.005) for _ in range(2))
        train, val = train + next(noise), val + next(noise)
        lines.append(f"step {step}: train loss {train:.4f}, val loss {val:.4f}")
        lines += [
            f"iter {step + k}: loss {loss + random.gauss(0, 0.05):.4f}, time 9.00ms, mfu 9.00%"
            for k in range(0, 50, 5)
        ]
    return write(folder, "\n".join(lines))
