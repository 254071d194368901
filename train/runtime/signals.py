"""Signals that ask a run to stop: noted, so that it can save itself first.

SIGINT (Ctrl-C) and SIGTERM are asked for once; the second one does what the first would have done
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


class Stopping:
    """Notes the first signal while it is entered; `asked` is its number, 0 before one came.

    In a thread that is not the main one it notes nothing, and a signal that the process was
    started to ignore stays ignored.
    """

    def __init__(
        self,
        word: str = "",
        *,
        patient: bool = False,
        pass_on: Callable[[], None] | None = None,
    ) -> None:
        """Make one.

        Args:
            word: Told on stderr when the first signal comes.
            patient: Note every further signal, too: who asks sends several, and ends the process
                otherwise if need be.
            pass_on: Called when the first signal comes, by the handler: it may only signal others.
        """
        self.asked = 0
        self._word, self._patient, self._pass_on = word, patient, pass_on
        self._old: dict[int, Any] = {}

    def __enter__(self) -> "Stopping":
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
        self._put_back()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            return
        self.asked = number
        if not self._patient:
            self._put_back()
        if self._word:
            with suppress(OSError):  # not print: the signal may have come in the midst of one
                os.write(2, f"{self._word}\n".encode())
        if self._pass_on is not None:
            self._pass_on()

    def _put_back(self) -> None:
        while self._old:
            number, old = self._old.popitem()
            signal.signal(number, old)
