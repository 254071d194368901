"""Real loss curves, kept outside the repository."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assay.diagnose.curve.learning_rate import Logged

WARMUP_STEPS = 2160  # the logs begin after it


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A real run: its model's size in millions, kind of schedule, and what was logged."""

    name: str
    size: int
    kind: str
    step: np.ndarray
    loss: np.ndarray
    logged: Logged

    def learning_rate(self, step: np.ndarray) -> np.ndarray:
        """Return the rate at each step; before the log it rises as a warmup does."""
        return self.logged(step) * np.minimum((step + 1) / (WARMUP_STEPS + 1), 1.0)

    @property
    def end_step(self) -> int:
        """Its last step."""
        return int(self.step[-1])

    @property
    def end_loss(self) -> float:
        """What its last step logged."""
        return float(self.loss[-1])

    def find_seen(self, fraction: float) -> np.ndarray:
        """Return which evaluations a run had made when that share of it was done."""
        return np.asarray(self.step <= fraction * self.end_step)


def load_curves(corpora: Path) -> list[Curve]:
    """Read the curves, by name."""
    curves = []
    for path in sorted((corpora / "logs").glob("mpl_*.csv")):
        step, rate, loss = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
        _, size, kind, *_ = path.stem.split("_")
        name = path.stem.removeprefix("mpl_")
        logged = Logged(step, rate)
        curves.append(Curve(name, int(size), kind, step.astype(int), loss, logged))
    return curves
