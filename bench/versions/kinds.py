"""How a file is compared, by its name: as values, as text, or byte for byte."""

from pathlib import PurePosixPath

BYTES, VALUES, TEXT = "bytes", "values", "text"
_ENDINGS = {
    **dict.fromkeys((".json", ".jsonl", ".toml"), VALUES),
    **dict.fromkeys((".txt", ".md", ".html", ".svg", ".css", ".js", ".csv", ".log"), TEXT),
}


def kind_of(name: str) -> str:
    """Return VALUES, TEXT or BYTES; what is not known is compared byte for byte.

    >>> kind_of("a/files/run/metrics.jsonl"), kind_of("a/stdout"), kind_of("a/files/x.parquet")
    ('values', 'text', 'bytes')
    """
    path = PurePosixPath(name)
    if len(path.parts) == 2 and path.name in ("stdout", "stderr"):
        return TEXT
    return _ENDINGS.get(path.suffix, BYTES)
