"""Where ids lie in a file: their type, where they begin, how many there are."""

# T = ids of a file, D = documents

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import ShardError

# Types that ids may have, by name; each little-endian.
DTYPES: dict[str, np.dtype[Any]] = {
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
    "uint32": np.dtype("<u4"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
}
NO_HEADER = "no header"


@dataclass(frozen=True, slots=True)
class Layout:
    """Ids in a file.

    Attributes:
        form: What says so: "no header", "llm.c", "NumPy", "datatrove" or "Megatron".
        dtype: One of `DTYPES`.
        offset: The byte at which the first begins.
        count: How many there are.
    """

    form: str
    dtype: np.dtype[Any]
    offset: int
    count: int

    def map_ids(self, path: Path) -> NDArray[Any]:
        """Map the ids, read-only; shape (ids,). Pages load on use."""
        if not self.count:
            return np.zeros(0, self.dtype)
        return np.memmap(path, dtype=self.dtype, mode="r", offset=self.offset, shape=(self.count,))


@dataclass(frozen=True, slots=True)
class Located:
    """Where ids lie, and what the files beside them say.

    Attributes:
        layout: Where they lie.
        ends_D: Where each document ends among them, int64; None without an index.
        tokenizer: The tokenizer's name or path, or "".
        beside: The files that were read with them.
    """

    layout: Layout
    ends_D: NDArray[np.int64] | None = None
    tokenizer: str = ""
    beside: tuple[Path, ...] = ()


def fit_layout(
    path: Path, form: str, dtype: np.dtype[Any], offset: int, count: int, says: str
) -> Layout:
    """Return a layout that accounts for every byte of a file.

    Raises:
        ShardError: The file has another size than the layout; `says` names what states it.
    """
    size = path.stat().st_size
    needed = offset + count * dtype.itemsize
    if size != needed:
        held = max(0, size - offset) // dtype.itemsize
        what = "it is cut off" if size < needed else "more was written to it, or that is damaged"
        raise ShardError(
            f"{path} has {size:,} bytes, room for {held:,} {dtype.name} ids; {says} says "
            f"{count:,}: {what}"
        )
    return Layout(form, dtype, offset, count)
