"""Lines on stderr, and how far long work is."""

import sys
import time
from collections.abc import Callable
from types import TracebackType

from assay.terminal.numbers import duration
from assay.terminal.text import show_line

Log = Callable[[str], None]  # called with each line of progress


def say(line: str) -> None:
    """Say a line on stderr, at once."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def choose_log(quiet: bool) -> Log | None:
    """Return what writes lines of progress to stderr, made safe; None where they are not wanted."""
    return None if quiet else lambda line: say(show_line(line, 300))


class Progress:
    """Says on stderr how far long work is: a line that renews itself, or one each 30 seconds.

    Silent where `quiet`; the first line comes after two seconds, so short work says nothing. What
    was `done` before counts, but not as fast work.
    """

    def __init__(
        self, label: str, total: int, unit: str, *, done: int = 0, quiet: bool = False
    ) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._start = self._last = time.monotonic()
        self._before = self._done = done
        self._drawn = False

    def __enter__(self) -> "Progress":
        return self

    def advance(self, amount: int) -> None:
        """Count `amount` more units as done."""
        self._done += amount
        now = time.monotonic()
        if self._quiet or now - self._start < 2:
            return
        if now - self._last >= (0.2 if self._live else 30):
            self._last = now
            self._draw(now - self._start)

    def _draw(self, seconds: float) -> None:
        rate = (self._done - self._before) / seconds
        left = (self._total - self._done) / rate if rate else 0.0
        percent = 100 * self._done / self._total if self._total else 100.0
        line = (
            f"{self._label}  {percent:.0f}%  {self._done:,} of {self._total:,} {self._unit}"
            f"  {rate:,.0f}/s  {duration(max(0.0, left))} left"
        )
        sys.stderr.write(f"\r\x1b[K{line}" if self._live else line + "\n")
        sys.stderr.flush()
        self._drawn = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn and self._live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
