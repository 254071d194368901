"""A terminal that a command writes to, and what it wrote."""

import os
import pty
import threading
from types import TracebackType

_BLOCK = 1 << 16


class Terminal:
    """A pseudo-terminal: `end` is what a command is given as its stdout."""

    def __enter__(self) -> "Terminal":
        self._ours, self.end = pty.openpty()
        self._parts: list[bytes] = []
        self._reader = threading.Thread(target=self._read_all)
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.end)
        self._reader.join()
        os.close(self._ours)

    def _read_all(self) -> None:
        while True:
            try:
                part = os.read(self._ours, _BLOCK)
            except OSError:  # Linux's way of saying that nobody has the other end any more
                return
            if not part:
                return
            self._parts.append(part)

    def read(self) -> bytes:
        """Return what was written, with a terminal's line ends."""
        return b"".join(self._parts)
