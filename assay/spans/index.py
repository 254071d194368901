"""The n-grams of some texts in a table: which stand where, and which texts have the same.

Numbers of words count through all texts. An n-gram goes by the word that it begins with; of equal
ones the first stands for all. Some 45 bytes a word: 16 where words stand, 16 the n-grams and the
chains of equal ones, 8 the table, 2 the filter before it, and the text.
"""

# W = words of all texts, T = texts

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128_digest

from assay.errors import UsageError
from assay.kernels import inline, njit
from assay.spans.word_places import equal_words, list_words
from assay.text.buffers import pad_buffer
from assay.text.pieces import WORDS, begin_document
from assay.text.pieces import Tables as RuleTables
from assay.text.shingling import Shingling, count_units, read_shingles
from assay.text.words import Fold, fold_table

ABSENT = -1
_SETTLED = np.uint32(0)  # texts are held in NFC
MAX_WORDS = (1 << 31) - 1  # numbers of words are held in 32 bits
_FILTER_BITS = 16  # for each n-gram: one text in 60 that is not in the table passes


class Tables(NamedTuple):
    """What kernels read of an index.

    Attributes:
        byte_W: Where each word begins in the text.
        hash_W: The hash of the n-gram that begins with the word.
        first_W: The first equal n-gram; `ABSENT` where no n-gram begins that is looked for.
        next_W: The next equal n-gram, or `ABSENT`.
        slots: The first of equal n-grams, by their hash's upper bits; `ABSENT` in a free slot.
        filter: Two bits for each n-gram in a word of 64, which its upper bits choose.
        slot_shift: Bits that a hash loses to be a slot.
        filter_shift: Likewise, to be a word of the filter.
    """

    byte_W: NDArray[np.int64]
    hash_W: NDArray[np.uint64]
    first_W: NDArray[np.int32]
    next_W: NDArray[np.int32]
    slots: NDArray[np.int32]
    filter: NDArray[np.uint64]
    slot_shift: np.uint64
    filter_shift: np.uint64


@dataclass(frozen=True, slots=True)
class NgramIndex:
    """N-grams of `length` words of T different texts.

    Attributes:
        length: Words in an n-gram.
        text: The texts in NFC, a line break after each.
        offset_T: Where each begins, and the last ends: T + 1.
        word_T: The number of each text's first word, and of all words: T + 1.
        char_W: Where each word begins in its text, in code points.
        tables: What kernels read.
    """

    length: int
    text: NDArray[np.uint8]
    offset_T: NDArray[np.int64]
    word_T: NDArray[np.int64]
    char_W: NDArray[np.uint32]
    tables: Tables

    @property
    def num_texts(self) -> int:
        """How many texts."""
        return self.offset_T.size - 1

    @property
    def num_words_T(self) -> NDArray[np.int64]:
        """Words of each text."""
        return np.diff(self.word_T)

    def number_texts(self) -> NDArray[np.int32]:
        """Return the text of each word; shape (W,)."""
        return np.repeat(np.arange(self.num_texts, dtype=np.int32), self.num_words_T)

    def count_by_text(self, chosen_W: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the chosen words of each text."""
        total = np.append(0, np.cumsum(chosen_W))
        return np.asarray(total[self.word_T[1:]] - total[self.word_T[:-1]])

    def count_ngrams(self) -> NDArray[np.int64]:
        """Count the n-grams of each text that are looked for, repeats included."""
        return self.count_by_text(self.tables.first_W != ABSENT)


class IndexBuilder:
    """Gathers texts; of equal ones the first is kept. `text_D` numbers them as documents came."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._numbers: dict[bytes, int] = {}
        self.text_D: list[int] = []

    def add(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        """Add documents that lie one after another in `data`, as valid UTF-8."""
        view = memoryview(data)  # type: ignore[arg-type]
        for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            self.add_text(bytes(view[start:end]))

    def add_text(self, text: bytes) -> None:
        """Add one document, as valid UTF-8; it is held in NFC."""
        if not text.isascii():
            text = unicodedata.normalize("NFC", text.decode()).encode()
        number = len(self._numbers)
        found = self._numbers.setdefault(xxh3_128_digest(text), number)
        if found == number:
            self._parts.append(text + b"\n")
        self.text_D.append(found)

    def build(
        self, length: int, choose: Callable[[NDArray[np.uint8]], NDArray[np.bool_]] | None = None
    ) -> NgramIndex:
        """Build the index of n-grams of `length` words.

        Args:
            length: Words in an n-gram.
            choose: Given the text, tells the bytes of which an n-gram that is looked for must have
                one. None: all are looked for.

        Raises:
            UsageError: There are over two thousand million words.
        """
        offset_T = np.append(0, np.cumsum([len(part) for part in self._parts])).astype(np.int64)
        text = pad_buffer(b"".join(self._parts))
        self._parts.clear()
        num_words_T = count_units(text, offset_T, Shingling())
        word_T = np.append(0, np.cumsum(num_words_T))
        if word_T[-1] > MAX_WORDS:
            raise UsageError(
                f"val has {int(word_T[-1]):,} words; at most {MAX_WORDS:,} can be looked for", "val"
            )
        byte_W, char_W, hash_W = _read_texts(
            text.ctypes.data, offset_T, word_T, length, Shingling().tables
        )
        looked_for_W = np.zeros(byte_W.size, np.bool_)
        _choose_ngrams(word_T, length, looked_for_W)
        if choose is not None and byte_W.size:
            counts = np.append(0, np.cumsum(choose(text), dtype=np.int64))
            starts, ends_W = np.flatnonzero(looked_for_W), np.append(byte_W, text.size)
            looked_for_W[starts] = counts[ends_W[starts + length]] > counts[byte_W[starts]]
        tables = _make_tables(text, byte_W, hash_W, looked_for_W, length)
        return NgramIndex(length, text, offset_T, word_T, char_W, tables)


@njit
def _read_texts(
    base: int,
    offset_T: NDArray[np.int64],
    word_T: NDArray[np.int64],
    length: int,
    rule: RuleTables,
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.uint64]]:
    """Return where each word stands, as byte and as code point, and each n-gram's hash."""
    total = word_T[-1]
    byte_W, char_W = np.empty(total, np.int64), np.empty(total, np.uint32)
    hash_W = np.zeros(total, np.uint64)
    units, shingles = np.empty(1 << 15, np.uint64), np.empty(1 << 15, np.uint64)
    for text in range(offset_T.size - 1):
        start, end, first = offset_T[text], offset_T[text + 1], word_T[text]
        list_words(base, start, end, rule[0], byte_W, char_W, first, _SETTLED)
        if word_T[text + 1] - first < length:
            continue
        place, at = begin_document(start), first
        while place[0] < end:
            place, units, shingles, count = read_shingles(
                base, place, end, WORDS, rule, length, units, shingles
            )
            hash_W[at : at + count] = shingles[:count]
            at += count
    return byte_W, char_W, hash_W


@njit
def _choose_ngrams(word_T: NDArray[np.int64], length: int, looked_for_W: NDArray[np.bool_]) -> None:
    """Tell the words with which an n-gram begins."""
    for text in range(word_T.size - 1):
        for word in range(word_T[text], word_T[text + 1] - length + 1):
            looked_for_W[word] = True


def _make_tables(
    text: NDArray[np.uint8],
    byte_W: NDArray[np.int64],
    hash_W: NDArray[np.uint64],
    looked_for_W: NDArray[np.bool_],
    length: int,
) -> Tables:
    number = int(looked_for_W.sum())
    slot_bits = max(4, (2 * number).bit_length())
    filter_bits = max(4, (_FILTER_BITS * number // 64).bit_length())
    tables = Tables(
        byte_W=byte_W,
        hash_W=hash_W,
        first_W=np.full(byte_W.size, ABSENT, np.int32),
        next_W=np.full(byte_W.size, ABSENT, np.int32),
        slots=np.full(1 << slot_bits, ABSENT, np.int32),
        filter=np.zeros(1 << filter_bits, np.uint64),
        slot_shift=np.uint64(64 - slot_bits),
        filter_shift=np.uint64(64 - filter_bits),
    )
    _insert_ngrams(text.ctypes.data, text.size, looked_for_W, length, fold_table(), tables)
    return tables


@inline
def filter_mask(value: np.uint64) -> np.uint64:
    """Return the two bits of a hash in its word of the filter; its lowest bit is always 1."""
    one, six = np.uint64(1), np.uint64(63)
    return one << ((value >> one) & six) | one << ((value >> np.uint64(7)) & six)


@inline
def find_ngram(value: np.uint64, tables: Tables) -> int:
    """Return the first n-gram of this hash, or `ABSENT`."""
    mask = filter_mask(value)
    if tables.filter[value >> tables.filter_shift] & mask != mask:
        return ABSENT
    slot = np.int64(value >> tables.slot_shift)
    while True:
        held = tables.slots[slot]
        if held == ABSENT or tables.hash_W[held] == value:
            return int(held)
        slot = (slot + 1) & (tables.slots.size - 1)


@inline
def follows(value: np.uint64, ngram: int, tables: Tables) -> bool:
    """Tell whether the next n-gram has this hash and is looked for; none follows `ABSENT`."""
    after = ngram + 1
    return bool(
        ngram != ABSENT
        and after < tables.hash_W.size
        and tables.hash_W[after] == value
        and tables.first_W[after] != ABSENT
    )


@njit
def _insert_ngrams(
    base: int,
    end: int,
    looked_for_W: NDArray[np.bool_],
    length: int,
    fold: Fold,
    tables: Tables,
) -> None:
    """Fill the table, and chain equal n-grams.

    Of two different n-grams of equal hash, one pair in 2**64, the later is not looked for.
    """
    last_W = np.empty(looked_for_W.size, np.int32)  # of the chain that begins there
    for word in range(looked_for_W.size):
        if not looked_for_W[word]:
            continue
        value = tables.hash_W[word]
        slot = np.int64(value >> tables.slot_shift)
        while tables.slots[slot] != ABSENT and tables.hash_W[tables.slots[slot]] != value:
            slot = (slot + 1) & (tables.slots.size - 1)
        found = tables.slots[slot]
        if found == ABSENT:
            tables.slots[slot] = word
            tables.filter[value >> tables.filter_shift] |= filter_mask(value)
            tables.first_W[word] = last_W[word] = word
            continue
        same = True
        for offset in range(length):
            a, b = tables.byte_W[found + offset], tables.byte_W[word + offset]
            same = same and equal_words(base, a, end, base, b, end, fold)
        if same:
            tables.first_W[word] = found
            tables.next_W[last_W[found]] = word
            last_W[found] = word
