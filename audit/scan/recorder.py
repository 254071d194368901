"""What is done with a shard that was scanned, while others are scanned: its hash, and its part."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from assay.audit.scan.scanner import Scanned
from assay.audit.scan.shard_cache import Parts
from assay.corpus.shards import Shard
from assay.storage.manifest import FileEntry


class Recorder:
    """Hashes shards, and keeps their parts where there are `parts`, on threads of its own.

    When it is left, by an error too, what was begun is finished.
    """

    def __init__(self, parts: Parts | None, threads: int) -> None:
        self._parts = parts
        self._pool = ThreadPoolExecutor(threads)
        self._pending: list[Future[FileEntry]] = []
        self._entries: list[FileEntry] = []

    def __enter__(self) -> "Recorder":
        return self

    def add(
        self,
        shard: Shard,
        scanned: Sequence[Scanned],
        key_BN: Iterable[NDArray[np.uint64]],
        tokens: FileEntry | None,
    ) -> None:
        """Take in a shard whose ids are written; arguments as for `Parts.write`.

        Raises:
            SpaceError: The disk was full when the part of one before was written.
        """
        self._pending.append(self._pool.submit(self._record, shard, scanned, key_BN, tokens))
        while self._pending and self._pending[0].done():
            self._entries.append(self._pending.pop(0).result())

    def finish(self) -> list[FileEntry]:
        """Return the manifest entries of the shards, in the order added. Raises as `add`."""
        self._entries += [future.result() for future in self._pending]
        self._pending = []
        return self._entries

    def _record(
        self,
        shard: Shard,
        scanned: Sequence[Scanned],
        key_BN: Iterable[NDArray[np.uint64]],
        tokens: FileEntry | None,
    ) -> FileEntry:
        entry = shard.enter()
        if self._parts is not None:
            self._parts.write(shard, entry, scanned, key_BN, tokens)
        return entry

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
