"""JSON lines, plain or compressed by gzip or zstd: an object a line, some lines at a time.

Rows are the lines that are not blank. Parallel threads each decompress a compressed file.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from assay.corpus.contents import describe_content
from assay.corpus.readers.batch import Batch
from assay.corpus.readers.json_rows import BadLineError, RowDecoder
from assay.corpus.readers.line_source import ERRORS, LineSource, split_lines
from assay.corpus.readers.table_batches import cut_table
from assay.corpus.readers.text_column import check_text_column
from assay.corpus.shards import Shard
from assay.errors import ShardError

_UNIT_BYTES = 4_000_000  # of lines that are read together, decompressed
_LOOKED_AT = 100  # lines that show which names there are


def open_json_lines(path: Path, split: str, index: int, text_column: str) -> Shard:
    """Check the first lines of a file, and find where its lines lie; reads it once.

    Raises:
        ShardError: Its first lines are no JSON objects or have no such name, or it is corrupt.
    """
    groups: list[tuple[int, int]] = []
    parts: list[tuple[int, int]] = []
    rows = 0
    try:
        for place, data in LineSource(path).cut(_UNIT_BYTES):
            lines = split_lines(data)
            if lines and not rows:
                _check_first(path, lines[:_LOOKED_AT], text_column)
            if lines:
                groups.append((rows, rows + len(lines)))
                parts.append((place, place + len(data)))
            rows += len(lines)
    except ERRORS as error:
        raise ShardError(f"{path} is corrupt: {_shorten(error)}") from error
    return Shard(index, path, split, "json", text_column, tuple(groups), parts=tuple(parts))


def _check_first(path: Path, lines: list[bytes], text_column: str) -> None:
    """Refuse a file whose first lines are no objects, or have no such text."""
    decoder = RowDecoder(text_column)
    try:
        rows = [decoder.read_object(line, place) for place, line in enumerate(lines)]
        names = dict.fromkeys(name for row in rows for name in row)
        if any(decoder.has_text(row) for row in rows):
            decoder.decode(lines)
            return
    except BadLineError as error:
        plain = lines[0].lstrip()[:1] != b"{"
        if found := describe_content(path) if plain and not path.suffix == ".gz" else "":
            raise ShardError(f"{path} is not JSON lines: {found}") from error
        raise ShardError(f"{path}: line {error.place + 1} {error.reason}") from error
    fields = [pa.field(name, _tell_type([row.get(name) for row in rows])) for name in names]
    check_text_column(path, pa.schema(fields), text_column)


def _tell_type(values: Sequence[object]) -> pa.DataType:
    """Tell the type of the first value that is not null, as Arrow's; null where it has none."""
    first = next((value for value in values if value is not None), None)
    try:
        return pa.infer_type([first])
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.list_(pa.null())


class JsonLinesReader:
    """Reads units of one file of JSON lines; one for each thread.

    `policy` is what to do with a text that is not UTF-8: "replace", "drop" or "stop".
    """

    def __init__(self, shard: Shard, policy: str) -> None:
        self._shard, self._policy = shard, policy
        self._source = LineSource(shard.path)
        self._decoder = RowDecoder(shard.text_column)

    def read(self, group: int) -> Iterator[Batch]:
        """Yield the documents of a unit, in order, about 16 MB of text at a time.

        Raises:
            ShardError: A line is no JSON object with a text, the file is corrupt, or a text is not
                UTF-8 (policy "stop").
        """
        shard = self._shard
        start, end = shard.parts[group]
        first, last = shard.groups[group]
        try:
            lines = split_lines(self._source.read(start, end - start))
            table = self._decoder.decode(lines)
        except ERRORS as error:
            raise ShardError(f"{shard.name} is corrupt: {_shorten(error)}") from error
        except BadLineError as error:
            number = self._count_lines(start, error.place)
            raise ShardError(
                f"{shard.name}: line {number} {error.reason}", shard=shard.index
            ) from error
        if table.num_rows != last - first:
            raise ShardError(f"{shard.name} changed while it was read", shard=shard.index)
        yield from cut_table(table, first, shard, self._policy)

    def _count_lines(self, start: int, place: int) -> int:
        """Return the number, from 1, of the line that is `place` among those from `start` on."""
        rows = number = 0
        for begin, data in LineSource(self._shard.path).cut(_UNIT_BYTES):
            for line in data.split(b"\n"):
                is_row = bool(line) and not line.isspace()
                if begin >= start and is_row:
                    rows += 1
                if rows > place:
                    return number + 1
                number += 1
            number -= 1  # what follows the last line's end is no line
        return number


def _shorten(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
