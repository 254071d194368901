"""8, 16, 32 or 64 bits an id, where no header says it: told by the high words, which are small."""

# W = 16-bit words of a file, F = ids of several words, K = words of an id

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.corpus.bins.layout import DTYPES
from assay.errors import ShardError

_FIRST_IDS, _CHUNK_IDS = 1 << 10, 1 << 21  # read at a time; most bins are told by the first
_BYTES = 1 << 8
# Fewer ids may look wide by chance.
_FEWEST = 4
# Ids beyond the tokenizer's are told as wide, too, and then refused: where there are many, and
# their low words are those of no small vocabulary.
_LARGEST_HIGH, _LARGE_LOW, _MANY = 15, 1024, 64


@dataclass(frozen=True, slots=True)
class _Wide:
    """An id of several words: the one with its low bits, the one above, those that must be 0."""

    name: str
    words: int
    low: int
    high: int
    zero: tuple[int, ...]


_WIDE = (_Wide("int64", 4, 0, 1, (2, 3)), _Wide("uint32", 2, 0, 1, ()))
_BIG_ENDIAN = (_Wide("int64", 4, 3, 2, (1, 0)), _Wide("uint32", 2, 1, 0, ()))


def tell_dtype(path: Path, vocab_size: int) -> np.dtype[Any]:
    """Tell the type of the ids of a file without a header; uint16 where nothing speaks for more.

    Raises:
        ShardError: Its size does not fit them, or they are big-endian.
    """
    size = path.stat().st_size
    words_W = map_words(path)
    if vocab_size <= _BYTES and _is_uint8(path, words_W, vocab_size):
        return DTYPES["uint8"]
    if size % 2:
        raise ShardError(
            f"{path} has {size:,} bytes; a uint16 bin has an even number, two for each id"
        )
    if _is_ambiguous(words_W):
        raise ShardError(
            f"{path} has {size:,} bytes, every second 16-bit word of them 0: too few to tell 16 "
            "bits an id from 32 or 64; name dtype",
            "dtype",
        )
    told = tell_wide(words_W, vocab_size)
    if told is None and (found := _tell(words_W, vocab_size, _BIG_ENDIAN, swapped=True)):
        raise ShardError(
            f"{path} holds big-endian ids of {8 * DTYPES[found].itemsize} bits by its content; "
            "write them little-endian"
        )
    if told is None and vocab_size > 1 << 16:
        told = "uint32"  # 16 bits do not hold the vocabulary
    dtype = DTYPES[told or "uint16"]
    if size % dtype.itemsize:
        raise ShardError(
            f"{path} holds {dtype.name} ids by its content, and has {size:,} bytes, no multiple of "
            f"{dtype.itemsize}: it is cut off"
        )
    return dtype


def tell_wide(words_W: NDArray[np.uint16], vocab_size: int) -> str | None:
    """Tell ids of 64 or 32 bits by their words: "int64", "uint32", or None.

    They are that where every second word (of 64 bits: three of four) is no more than the high bits
    of the vocabulary's ids: 0 for GPT-2, of which no text has every second id 0, a "!". Stops at
    the first words that are more.
    """
    return _tell(words_W, vocab_size, _WIDE, swapped=False)


def map_words(path: Path) -> NDArray[np.uint16]:
    """Map a file as 16-bit words; an odd last byte is left out."""
    num_words = path.stat().st_size // 2
    if not num_words:
        return np.zeros(0, np.uint16)
    return np.memmap(path, "<u2", mode="r", shape=(num_words,))


def _tell(
    words_W: NDArray[np.uint16], vocab_size: int, kinds: tuple[_Wide, ...], *, swapped: bool
) -> str | None:
    most = (vocab_size - 1) >> 16
    return next((kind.name for kind in kinds if _fits(words_W, kind, most, swapped)), None)


def _fits(words_W: NDArray[np.uint16], kind: _Wide, most: int, swapped: bool) -> bool:
    num_ids = words_W.size // kind.words
    largest_low = largest_high = 0
    for words_FK in _cut(words_W, num_ids, kind.words):
        words_FK = words_FK.byteswap() if swapped else words_FK
        if any(words_FK[:, place].any() for place in kind.zero):
            return False
        largest_high = max(largest_high, int(words_FK[:, kind.high].max()))
        largest_low = max(largest_low, int(words_FK[:, kind.low].max()))
        if largest_high > max(most, _LARGEST_HIGH):
            return False
    beyond = largest_high > most
    enough = num_ids >= _MANY and largest_low >= _LARGE_LOW if beyond else num_ids >= _FEWEST
    return enough and largest_low > 0


def _cut(words_W: NDArray[np.uint16], num_ids: int, words: int) -> Iterator[NDArray[np.uint16]]:
    first, step = 0, _FIRST_IDS
    while first < num_ids:
        last = min(num_ids, first + step)
        yield words_W[first * words : last * words].reshape(-1, words)
        first, step = last, _CHUNK_IDS


def _is_ambiguous(words_W: NDArray[np.uint16]) -> bool:
    """Tell whether words may be a few wide ids, or narrow ones."""
    return any(
        words <= words_W.size < words * _FEWEST
        and words_W.any()
        and not np.delete(words_W, np.s_[::words]).any()
        for words in (2, 4)
    )


def _is_uint8(path: Path, words_W: NDArray[np.uint16], vocab_size: int) -> bool:
    """Tell whether the bytes are ids of a small vocabulary, and 16-bit words are not."""
    bytes_T = np.memmap(path, "u1", mode="r")
    words = range(0, words_W.size, _CHUNK_IDS)
    if all(int(words_W[lo : lo + _CHUNK_IDS].max()) < vocab_size for lo in words):
        return False
    step = range(0, bytes_T.size, _CHUNK_IDS)
    if any(int(bytes_T[lo : lo + _CHUNK_IDS].max()) >= vocab_size for lo in step):
        return False
    return bool(bytes_T[::2].any() and bytes_T[1::2].any())  # else each is half of a word
