"""Read the documents of a shard, a unit at a time, whatever its format."""

import threading
from collections.abc import Callable, Iterator

from assay.corpus.readers.arrow_ipc import ArrowReader
from assay.corpus.readers.batch import Batch
from assay.corpus.readers.bin import BinReader
from assay.corpus.readers.json_lines import JsonLinesReader
from assay.corpus.readers.parquet import ParquetReader
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer

_Reader = ParquetReader | ArrowReader | JsonLinesReader | BinReader
_READERS: dict[str, Callable[[Shard, str], _Reader]] = {
    "parquet": ParquetReader,
    "arrow": ArrowReader,
    "json": JsonLinesReader,
}


class ShardReader:
    """Reads units of one shard; one for each thread."""

    def __init__(self, shard: Shard, tokenizer: Tokenizer, invalid: str = "replace") -> None:
        self.shard = shard
        self._reader: _Reader = (
            BinReader(shard, invalid, tokenizer)
            if shard.kind == "bin"
            else _READERS[shard.kind](shard, invalid)
        )

    def read(self, group: int) -> Iterator[Batch]:
        """Yield the documents of a unit, in order, about 16 MB of text at a time.

        Raises:
            ShardError: The unit is corrupt, or a text is not UTF-8 (policy "stop").
        """
        return self._reader.read(group)


class ThreadReaders:
    """Gives each thread a reader of its own, which stays open while it reads the same shard.

    Opening may be dear: a footer of many row groups is parsed, and what is compressed as a whole
    is decompressed from its beginning.
    """

    def __init__(self, tokenizer: Tokenizer, invalid: str = "replace") -> None:
        self._tokenizer, self._invalid = tokenizer, invalid
        self._local = threading.local()

    def open(self, shard: Shard) -> ShardReader:
        """Return this thread's reader of a shard."""
        reader: ShardReader | None = getattr(self._local, "reader", None)
        if reader is None or reader.shard is not shard:
            reader = self._local.reader = ShardReader(shard, self._tokenizer, self._invalid)
        return reader
