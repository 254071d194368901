"""Read the documents of a shard, a unit at a time, whatever its format."""

from collections.abc import Iterator

from assay.corpus.readers.batch import Batch
from assay.corpus.readers.bin import BinReader
from assay.corpus.readers.parquet import ParquetReader
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import Tokenizer


class ShardReader:
    """Reads units of one shard; one for each thread."""

    def __init__(self, shard: Shard, tokenizer: Tokenizer, invalid: str = "replace") -> None:
        self.shard = shard
        self._reader: ParquetReader | BinReader = (
            BinReader(shard, invalid, tokenizer)
            if shard.kind == "bin"
            else ParquetReader(shard, invalid)
        )

    def read(self, group: int) -> Iterator[Batch]:
        """Yield the documents of a unit, in order, about 16 MB of text at a time.

        Raises:
            ShardError: The unit is corrupt, or a text is not UTF-8 (policy "stop").
        """
        return self._reader.read(group)
