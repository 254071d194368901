"""Write files so that a final name is whole or absent.

A file is written beside its place under a `.tmp-` name, flushed to the disk, and renamed; an
error or a full disk removes it. Written as a stream, never through a memory map: on a full disk
a map is a bus error, not an exception.
"""

import errno
import hashlib
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from assay.errors import SpaceError, UsageError

TEMPORARY = ".tmp-"  # how the names of unfinished files begin
# What a file system without hard links answers (FAT, many network mounts).
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)

_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)


class HashedFile(io.RawIOBase):
    """A file open for writing that knows the size and sha256 of what it was given.

    `publish` flushes and closes what it writes to, once, at the end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        """Write all of `data` and return its length in bytes."""
        view = memoryview(data).cast("B")
        written = 0
        while written < len(view):
            written += self._file.write(view[written:])
        self._hash.update(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.size

    def writable(self) -> bool:
        """Return True."""
        return True

    @property
    def sha256(self) -> str:
        """The sha256 of all bytes so far, in hex."""
        return self._hash.hexdigest()


@contextmanager
def publish(path: Path, *, replace: bool = True) -> Iterator[HashedFile]:
    """Open `path` for writing; it appears, whole, when the block ends without an error.

    Args:
        path: The final name. Its folder exists.
        replace: Whether a file of that name may be replaced.

    Raises:
        SpaceError: The disk is full.
        UsageError: The file exists and `replace` is false, or the folder cannot be written to.
    """
    # A random name: two threads may write the same file, and a killed process may have had our pid.
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{path.name}")
    try:
        with temporary.open("xb", buffering=0) as raw:
            yield HashedFile(raw)
            os.fsync(raw.fileno())
        if replace:
            temporary.replace(path)
        else:
            _name_once(temporary, path)
    except OSError as error:
        if error.errno in _FORBIDDEN and error.filename == str(temporary):
            raise UsageError(
                f"{path} cannot be written ({error.strerror}); name another output",
                "output",
            ) from error
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        temporary.unlink(missing_ok=True)
        raise SpaceError(
            f"{path}: no space left ({shutil.disk_usage(path.parent).free:,} bytes free); free "
            "some and run the same command"
        ) from error
    finally:
        _remove(temporary)
    _sync_folder(path.parent)


def _remove(temporary: Path) -> None:
    """Remove a file if it is there; where nothing can be written none is, and that is no error."""
    try:
        temporary.unlink(missing_ok=True)
    except OSError as error:
        if error.errno not in _FORBIDDEN:
            raise


def publish_bytes(path: Path, data: bytes, *, replace: bool = True) -> None:
    """Write `data` to `path`, whole or not at all. Errors as in `publish`."""
    with publish(path, replace=replace) as file:
        file.write(data)


def publish_same(path: Path, source: Path) -> None:
    """Give a sealed file a second name, without its bytes being written again where that can be.

    Raises:
        SpaceError: It had to be copied, and the disk is full.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(6)}-{path.name}")
    try:
        os.link(source, temporary)
    except OSError:  # another file system, or one without hard links
        with publish(path) as file, source.open("rb") as opened:
            while part := opened.read(1 << 20):
                file.write(part)
        return
    temporary.replace(path)
    _remove(temporary)
    _sync_folder(path.parent)


def sweep_temporaries(folder: Path) -> None:
    """Remove what a killed writer left in `folder`; call it under the folder's lock."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        leftover.unlink(missing_ok=True)


def _name_once(temporary: Path, path: Path) -> None:
    """Give a file its final name, unless that is taken."""
    try:
        os.link(temporary, path)  # fails where the name is taken, even if only just now
    except FileExistsError as error:
        raise UsageError(f"{path} exists already") from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise UsageError(f"{path} exists already") from error
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
