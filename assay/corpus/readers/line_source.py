"""The bytes of a file of lines, plain or compressed, from any place on."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa

from assay.errors import ShardError

ERRORS = (OSError, EOFError, zlib.error, pa.ArrowException)
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAX_LINE_BYTES = 1 << 30


class LineSource:
    """Reads ranges of the bytes that a file holds once it is decompressed.

    A plain file is read at once from any place; a compressed one in ascending order, what lies
    between is decompressed and thrown away, and for an earlier place it is opened anew.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._at = path, 0
        with path.open("rb") as file:
            head = file.read(4)
        self._codec = "gzip" if head.startswith(_GZIP) else "zstd" if head == _ZSTD else ""
        self._file = self._open()

    def _open(self) -> BinaryIO:
        file = pa.OSFile(str(self._path))  # closes itself when it is let go
        if self._codec == "gzip":
            file = gzip.GzipFile(fileobj=file, mode="rb")
        elif self._codec == "zstd":
            file = pa.CompressedInputStream(file, "zstd")
        return cast(BinaryIO, file)

    def read(self, start: int, size: int) -> bytes:
        """Return `size` bytes from `start` on, fewer at the end. Errors are some of `ERRORS`."""
        if not self._codec:
            self._file.seek(start)
            return self._file.read(size)
        if start < self._at:
            self._file, self._at = self._open(), 0
        while self._at < start:
            passed = self._file.read(min(1 << 20, start - self._at))
            if not passed:
                return b""
            self._at += len(passed)
        data = self._read_all(size)
        self._at += len(data)
        return data

    def _read_all(self, size: int) -> bytes:
        """Read until there are `size` bytes: a stream may give fewer at a time."""
        parts = []
        while size and (part := self._file.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def cut(self, most: int) -> Iterator[tuple[int, bytes]]:
        """Yield the place and the bytes of consecutive whole lines, about `most` bytes at a time.

        Raises:
            ShardError: A line has over a GiB.
        """
        place, kept = 0, b""
        while data := self.read(place + len(kept), most):
            kept += data
            end = kept.rfind(b"\n") + 1 if len(data) == most else len(kept)
            if end:
                yield place, kept[:end]
                place, kept = place + end, kept[end:]
            elif len(kept) > _MAX_LINE_BYTES:
                raise ShardError(f"{self._path}: a line has over {_MAX_LINE_BYTES:,} bytes")
        if kept:
            yield place, kept


def split_lines(data: bytes) -> list[bytes]:
    """Return the lines that are not blank.

    >>> split_lines(b"a\\n\\n \\r\\nb")
    [b'a', b'b']
    """
    return [line for line in data.split(b"\n") if line and not line.isspace()]
