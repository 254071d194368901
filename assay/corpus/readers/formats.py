"""Which format a file is: by its name, or by its first bytes where the name says nothing."""

from pathlib import Path

from assay.corpus.bins.bin_file import SUFFIXES as BIN_SUFFIXES

# Endings of names, and the format; the longest that fits counts. Not `.json`: in a folder it is
# more often a description than lines.
SUFFIXES = {
    ".parquet": "parquet",
    ".parq": "parquet",
    ".pq": "parquet",
    **dict.fromkeys(BIN_SUFFIXES, "bin"),
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    **{
        name + packed: "json"
        for name in (".jsonl", ".ndjson", ".json")
        for packed in ("", ".gz", ".zst")
        if name + packed != ".json"
    },
}
_MAGIC = {b"PAR1": "parquet", b"PARE": "parquet", b"ARRO": "arrow"}


def name_format(path: Path) -> str | None:
    """Return the format that a name says, None where it says none.

    >>> name_format(Path("a.parquet")), name_format(Path("train.bin")), name_format(Path("a.csv"))
    ('parquet', 'bin', None)
    """
    name = path.name.lower()
    fitting = [suffix for suffix in SUFFIXES if name.endswith(suffix)]
    return SUFFIXES[max(fitting, key=len)] if fitting else None


def detect_format(path: Path) -> str:
    """Return a file's format: that of its name, else of its first bytes, else parquet.

    Raises:
        OSError: It cannot be read.
    """
    if named := name_format(path):
        return named
    with path.open("rb") as file:
        head = file.read(256)
    if path.suffix.lower() == ".json" and head.lstrip()[:1] == b"{":
        return "json"
    return _MAGIC.get(head[:4], "parquet")
