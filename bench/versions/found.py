"""What a comparison found: each difference, and how much was compared and masked."""

from collections import Counter
from dataclasses import dataclass, field

_LONGEST = 300  # characters of a value that are printed


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: the file, where in it, and both contents."""

    file: str
    place: str
    old: str
    new: str

    def format(self) -> str:
        """Return three lines."""
        return f"{self.file}: {self.place}\n  old  {_cut(self.old)}\n  new  {_cut(self.new)}"


@dataclass(slots=True)
class Findings:
    """All differences of two records, and the counts of what was looked at."""

    differences: list[Difference] = field(default_factory=list)
    masked: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    values: int = 0

    def differ(self, file: str, place: str, old: str, new: str) -> None:
        """Note a difference."""
        self.differences.append(Difference(file, place, old, new))

    def mask(self, name: str, times: int = 1) -> None:
        """Count fields that were masked; of both records."""
        if times:
            self.masked[name] += times

    def count(self, kind: str, size: int) -> None:
        """Count a file that was compared."""
        self.files[kind] += 1
        self.bytes[kind] += size


def _cut(text: str) -> str:
    shown = text.replace("\n", "\\n")
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}... ({len(shown):,} characters)"
