"""Shards, opened and checked: parquet files of documents, and bins cut at their end-of-text ids."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from assay.corpus.bin_file import cut_ranges, find_documents, read_bin_ids
from assay.errors import InputError, ShardError, UsageError
from assay.storage.fingerprint import hash_file
from assay.storage.manifest import FileEntry

_BIN_GROUP_IDS = 4_000_000  # ids read at a time from a bin: about 18 MB of English


@dataclass(frozen=True, slots=True)
class Shard:
    """One input file, checked.

    `groups` are its units of reading: row ranges [first, last) of a parquet file's row groups,
    or of documents of a bin. `spans` (bins only) is where each document lies: int64, shape
    (documents, 2). `name` is the path as the user gave it.
    """

    index: int
    path: Path
    split: str
    kind: str
    text_column: str
    groups: tuple[tuple[int, int], ...]
    columns: tuple[str, ...] = ()
    spans: np.ndarray | None = None

    @property
    def name(self) -> str:
        """The file's name, for people; never a path to write to."""
        return self.path.as_posix()

    @property
    def num_rows(self) -> int:
        """Rows, null texts included; documents of a bin."""
        return self.groups[-1][1] if self.groups else 0

    def enter(self) -> FileEntry:
        """Describe the file for a manifest; reads it once for its sha256."""
        size = self.path.stat().st_size
        return FileEntry(name=self.name, size=size, sha256=hash_file(self.path), rows=self.num_rows)


def open_shards(
    files: Sequence[tuple[Path, str]],
    *,
    text_column: str = "text",
    end_of_text: int = 50_256,
    on_bad: str = "stop",
) -> tuple[list[Shard], list[str]]:
    """Check each file and number the good ones from 0.

    Args:
        files: Paths with their splits, as `list_inputs` gives them.
        text_column: The parquet column that holds the text.
        end_of_text: The id that stands between the documents of a bin.
        on_bad: "stop" raises at the first bad shard; "skip" sets it aside.

    Returns:
        The shards, and one line for each shard set aside.

    Raises:
        ShardError: A shard is corrupt, not parquet, or lacks the column (`on_bad="stop"`).
        InputError: No document is left.
    """
    shards: list[Shard] = []
    bad: list[str] = []
    for path, split in files:
        try:
            shard = open_shard(
                path, split, len(shards), text_column=text_column, end_of_text=end_of_text
            )
        except ShardError as error:
            if on_bad != "skip":
                raise
            bad.append(str(error))
        else:
            shards.append(shard)
    if not sum(shard.num_rows for shard in shards):
        names = ", ".join(path.name for path, _ in files[:3])
        names += f" and {len(files) - 3:,} more" if len(files) > 3 else ""
        aside = f"; {len(bad)} of {len(files)} shards set aside" if bad else ": no rows"
        raise InputError(f"no documents in {names}{aside}")
    return shards, bad


def open_shard(
    path: Path, split: str, index: int = 0, *, text_column: str, end_of_text: int
) -> Shard:
    """Check one file, whatever its form. Errors as in `open_shards`.

    Raises:
        UsageError: There is no such file.
    """
    if not path.is_file():
        raise UsageError(f"no shard at {path}")
    if path.suffix == ".bin":
        return _open_bin(path, split, index, end_of_text)
    return _open_parquet(path, split, index, text_column)


def _open_parquet(path: Path, split: str, index: int, text_column: str) -> Shard:
    try:
        with pq.ParquetFile(path) as parquet:
            schema, metadata = parquet.schema_arrow, parquet.metadata
            names = schema.names
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise ShardError(f"{path} is not a parquet file: {_explain(path, error)}") from error
    if text_column not in names:
        raise ShardError(_describe_columns(path, names, text_column))
    if names.count(text_column) > 1:
        raise ShardError(f"{path} has {names.count(text_column)} columns {text_column!r}, needed 1")
    kind = schema.field(text_column).type
    if not holds_text(kind):
        raise ShardError(f"{path}: column {text_column!r} is {kind}, needed text (string, binary)")
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    groups = tuple(pairwise(np.cumsum([0, *sizes]).tolist()))
    return Shard(index, path, split, "parquet", text_column, groups, tuple(names))


def _describe_columns(path: Path, names: list[str], wanted: str) -> str:
    shown = ", ".join(repr(name) for name in names[:12]) or "none"
    near = get_close_matches(wanted, names, 1, 0.5) or [
        name for name in names if name.lower() in ("text", "content", "raw_content", "document")
    ]
    hint = f"did you mean text column {near[0]!r}?" if near else "name the text column"
    return f"{path} has no column {wanted!r}; it has {shown}; {hint}"


def holds_text(kind: pa.DataType) -> bool:
    """Tell whether a column of this type can hold texts: strings and bytes of every kind."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    strings = (pa.string(), pa.large_string(), pa.string_view())
    return kind in (*strings, pa.binary(), pa.large_binary(), pa.binary_view(), pa.null())


def _explain(path: Path, error: Exception) -> str:
    """Say why a file is not parquet, from its first and last bytes."""
    size = path.stat().st_size
    if size == 0:
        return "it is empty (0 bytes)"
    try:
        with path.open("rb") as file:
            head = file.read(256)
            file.seek(max(0, size - 4))
            tail = file.read(4)
    except OSError as unreadable:
        return f"it cannot be read ({unreadable.strerror})"
    if head.lstrip()[:1] == b"<":
        return "it is an HTML or XML page; download the file itself"
    if head.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; run git lfs pull"
    if head.startswith(b"PAR1") and tail != b"PAR1":
        return f"it is truncated ({size:,} bytes, no closing PAR1); download it again"
    return " ".join(str(error).split())[:200]


def _open_bin(path: Path, split: str, index: int, end_of_text: int) -> Shard:
    try:
        ids_T = read_bin_ids(path)
    except InputError as error:
        raise ShardError(str(error)) from error
    spans = find_documents(ids_T, end_of_text)
    groups = tuple(cut_ranges(spans[:, 0], spans[:, 1], _BIN_GROUP_IDS))
    return Shard(index, path, split, "bin", "", groups, spans=spans)
