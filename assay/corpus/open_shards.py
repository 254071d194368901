"""Open input files as shards, each by its format, and set aside those that cannot be read."""

from collections.abc import Sequence
from pathlib import Path

from assay.corpus.bins.bin_file import BinOptions
from assay.corpus.readers.arrow_ipc import open_arrow
from assay.corpus.readers.bin import open_bin
from assay.corpus.readers.formats import detect_format
from assay.corpus.readers.json_lines import open_json_lines
from assay.corpus.readers.parquet import open_parquet
from assay.corpus.shards import Shard
from assay.corpus.tokenizer import load_tokenizer
from assay.errors import InputError, ShardError, UsageError

_MAX_NAMED = 3  # files, in a line of notes


def open_shards(
    files: Sequence[tuple[Path, str]],
    *,
    text_column: str = "text",
    bins: BinOptions | None = None,
    on_bad: str = "stop",
) -> tuple[list[Shard], list[str]]:
    """Check each file and number the good ones from 0.

    Args:
        files: Paths with their splits, as `list_inputs` gives them.
        text_column: The parquet column that holds the text.
        bins: How bins are read; None for GPT-2's ids.
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
            shard = open_shard(path, split, len(shards), text_column=text_column, bins=bins)
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
    path: Path,
    split: str,
    index: int = 0,
    *,
    text_column: str = "text",
    bins: BinOptions | None = None,
) -> Shard:
    """Check one file, whatever its form. Errors as in `open_shards`.

    Raises:
        UsageError: There is no such file.
    """
    if not path.is_file():
        raise UsageError(f"no shard at {path}")
    try:
        kind = detect_format(path)
    except OSError as error:
        raise ShardError(f"{path} cannot be read ({error.strerror})") from error
    if kind == "bin":
        return open_bin(path, split, index, bins or BinOptions(load_tokenizer()))
    opening = {"json": open_json_lines, "arrow": open_arrow}.get(kind, open_parquet)
    return opening(path, split, index, text_column)


def list_notes(shards: Sequence[Shard]) -> list[str]:
    """List what a reader has to know of shards, a line for each note, with the first few names."""
    noted: dict[str, list[str]] = {}
    for shard in shards:
        for note in shard.ids.notes if shard.ids else ():
            noted.setdefault(note, []).append(shard.name)
    lines = []
    for note, names in noted.items():
        more = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
        lines.append(f"{', '.join(names[:_MAX_NAMED])}{more}: {note}")
    return lines
