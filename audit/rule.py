"""The rule of an audit: when two texts are near duplicates, and how pairs of them are proposed."""

from dataclasses import dataclass

from assay.audit.bands import detection
from assay.errors import UsageError

MOST_VALUES = 1 << 14  # of a signature; RefinedWeb's 9,000 are the most in the literature


@dataclass(frozen=True, slots=True)
class Rule:
    """Near duplicates have a Jaccard of at least `threshold`; `bands` of `rows` propose them."""

    threshold: float = 0.8
    bands: int = 16
    rows: int = 8

    def check(self) -> None:
        """Raise UsageError where a value is out of range."""
        if not 0 < self.threshold <= 1:
            raise UsageError(f"--threshold is {self.threshold:g}, needed over 0 and at most 1")
        if self.bands < 1 or self.rows < 1 or self.num_values > MOST_VALUES:
            raise UsageError(
                f"{self.bands} bands of {self.rows} rows: needed at least 1 of each, and at most "
                f"{MOST_VALUES:,} values in all"
            )

    @property
    def num_values(self) -> int:
        """Values of a signature."""
        return self.bands * self.rows

    def detect(self, jaccard: float) -> float:
        """Return the chance that a pair of this Jaccard is proposed."""
        return detection(jaccard, self.bands, self.rows)
