"""datatrove's ids: `.ds`; where documents end: `.ds.index`; the tokenizer: `.ds.metadata`."""

# D = documents

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.corpus.bins.layout import DTYPES, Located, fit_layout
from assay.corpus.bins.widths import tell_dtype
from assay.errors import ShardError

FORM = "datatrove"
_SIZES = {2: "uint16", 4: "uint32"}
_MAX_METADATA = 10_000
_UNKNOWN = ("Unknown Tokenizer", "")


def read_datatrove(path: Path, vocab_size: int, dtype: str | None = None) -> Located:
    """Read a `.ds` file's index and metadata, each where there is one.

    Args:
        path: The `.ds` file.
        vocab_size: Of the tokenizer: tells the type of the ids where nothing beside them does.
        dtype: The type of the ids where the caller knows it.

    Raises:
        ShardError: They do not fit the file, or each other.
    """
    index, metadata = (path.with_name(f"{path.name}.{end}") for end in ("index", "metadata"))
    ends_D = _read_index(index) if index.exists() else None
    tokenizer, item, stated = _read_metadata(metadata) if metadata.exists() else ("", None, None)
    count = int(ends_D[-1]) if ends_D is not None and ends_D.size else stated
    if ends_D is not None and stated is not None and stated != count:
        raise ShardError(
            f"{index} ends at id {count or 0:,}, {metadata} says {stated:,}: they are not of one "
            "file, or damaged"
        )
    size = path.stat().st_size
    told = dtype or _SIZES.get(item or (size // count if count else 0))
    if told is None:
        if count is not None:
            raise ShardError(
                f"{path} has {size:,} bytes for {count:,} ids, needed 2 or 4 for each: it is cut "
                "off, or what stands beside it is of another file"
            )
        told = tell_dtype(path, vocab_size).name
    kind = DTYPES[told]
    says = f"its {'index' if ends_D is not None else 'metadata'}"
    layout = fit_layout(
        path, FORM, kind, 0, size // kind.itemsize if count is None else count, says
    )
    beside = tuple(each for each in (index, metadata) if each.exists())
    return Located(layout, ends_D, tokenizer, beside)


def _read_index(path: Path) -> NDArray[np.int64]:
    """Read where documents end: uint64, one after another.

    Raises:
        ShardError: It is no list of ascending ends.
    """
    size = path.stat().st_size
    if size % 8 or not size:
        raise ShardError(f"{path} has {size:,} bytes, needed 8 for each document; it is cut off")
    ends_D = np.fromfile(path, "<u8")
    falls = np.flatnonzero(ends_D[1:] < ends_D[:-1])
    if falls.size or ends_D[-1] >= 1 << 62:
        place = int(falls[0]) + 1 if falls.size else ends_D.size - 1
        raise ShardError(
            f"{path}: document {place:,} ends at {int(ends_D[place]):,}, before the one before it "
            "or beyond any file; it is damaged"
        )
    return ends_D.astype(np.int64)


def _read_metadata(path: Path) -> tuple[str, int | None, int]:
    """Read the tokenizer's name, bytes an id where they are stated, and the number of ids.

    Raises:
        ShardError: It is not that.
    """
    data = path.read_bytes()[:_MAX_METADATA]
    lines = data.decode("utf-8", "replace").split("\n")
    found = re.fullmatch(r"(.*?)(?:\|(\d{1,2}))?", lines[0])
    if found is None or len(lines) < 2 or not re.fullmatch(r"\d{1,18}", lines[1]):
        raise ShardError(
            f"{path} is not datatrove's: needed a tokenizer, then the number of ids, on two lines"
        )
    name, item = found.groups()
    if item is not None and int(item) not in _SIZES:
        raise ShardError(f"{path} says {item} bytes an id, needed 2 or 4")
    return "" if name in _UNKNOWN else name, None if item is None else int(item), int(lines[1])
