"""What was asked for, what was found, and whether that is enough."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A figure and the limit that it must keep."""

    what: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = True

    @property
    def passed(self) -> bool:
        """Whether the limit is kept; a NaN keeps none."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def format(self) -> str:
        """Return one line."""
        word = "at least" if self.at_least else "at most"
        return (
            f"{'ok' if self.passed else 'MISSED':<8}{self.what}: {self.value:,.4g}{self.unit} "
            f"({word} {self.limit:,.4g}{self.unit})"
        )


def report_checks(checks: Sequence[Check]) -> int:
    """Print each check, and return an exit code: 0 if all are kept, else 1."""
    for check in checks:
        print(check.format(), flush=True)
    return 0 if all(check.passed for check in checks) else 1
