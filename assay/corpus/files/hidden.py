"""Names that begin with `_` or `.`: marks, logs and half-written files beside tables.

Spark, Hive, Arrow and Hugging Face leave them out. A folder `_date=2024-01-01` is a partition,
whose column is so called.
"""

from pathlib import PurePath


def is_hidden(name: str) -> bool:
    """Tell whether a name of a file or folder is left out.

    >>> [is_hidden(name) for name in ("_SUCCESS", ".part.crc", "_date=1", "a_b.parquet")]
    [True, True, False, False]
    """
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def count_hidden(path: str | PurePath) -> int:
    """Count the hidden names in a path; `.` and `..` are none."""
    return sum(is_hidden(part) for part in PurePath(path).parts if part.strip("."))
