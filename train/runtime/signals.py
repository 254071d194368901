"""Signals that ask a run to stop: noted, so that it can save itself first.

The first SIGINT (Ctrl-C) or SIGTERM is noted; a second one does what the first would have done
without this, and stops at once.
"""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Notes the first signal while it is entered; `received` is its number, 0 before one came.

    In a thread that is not the main one it notes nothing, and a signal that the process was
    started to ignore stays ignored.
    """

    def __init__(
        self,
        message: str = "",
        *,
        absorb: bool = False,
        forward: Callable[[], None] | None = None,
    ) -> None:
        """Make one.

        Args:
            message: Written to stderr when the first signal comes.
            absorb: Ignore every further signal: the sender sends several, and ends the process
                otherwise if need be.
            forward: Called when the first signal comes, by the handler: it may only signal others.
        """
        self.received = 0
        self._message, self._absorb, self._forward = message, absorb, forward
        self._old: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in _NUMBERS:
                old = signal.getsignal(number)
                if old not in (signal.SIG_IGN, None):
                    self._old[number] = old
                    signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received:
            return
        self.received = number
        if not self._absorb:
            self._restore()
        if self._message:
            with suppress(OSError):  # not print: the signal may have come in the midst of one
                os.write(2, f"{self._message}\n".encode())
        if self._forward is not None:
            self._forward()

    def _restore(self) -> None:
        while self._old:
            number, old = self._old.popitem()
            signal.signal(number, old)
