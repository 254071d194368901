"""Slow twins of the audit: words, shingles, signatures, pairs, clusters."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np
from datasketch import MinHash

# Blocks of Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar, as Unicode's Blocks.txt has them.
LONE_BLOCKS = re.compile(
    "[\u2e80-\u2fdf\u3000-\u303f\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U0001aff0-\U0001afff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    "\u0e00-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u19e0-\u19ff"
    "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f\U000116d0-\U000116ff]"
)


def words(text: str) -> list[str]:
    """Return the words of a text in NFC: runs of letters, numbers, marks and `_`, lower-cased.

    Each character of a script that is written without spaces is a word.
    """
    found = [""]
    for char in "".join(char.lower() for char in unicodedata.normalize("NFC", text)):
        is_word = char == "_" or unicodedata.category(char)[0] in "LNM"
        if is_word and not LONE_BLOCKS.match(char):
            found[-1] += char
        else:
            found += [char, ""] if is_word else [""]
    return [word for word in found if word]


def shingles(text: str, num_words: int = 5) -> list[tuple[str, ...]]:
    """Return each run of consecutive words, in order; a short text has one run, of all of them."""
    return runs(words(text), num_words)


def letters(text: str) -> str:
    """Return a text in NFC, lower-cased, without ASCII punctuation, its white space single."""
    lowered = "".join(char.lower() for char in unicodedata.normalize("NFC", text))
    bare = lowered.translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\s+", " ", bare.strip())


def units(text: str, unit: str) -> Sequence[str]:
    """Return what shingles are made of: words, letters, or characters as they stand."""
    return {"words": words, "letters": letters, "characters": str}[unit](text)


def runs(found: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Return each run of consecutive units; fewer than `length` make one run, of all of them."""
    if not found:
        return []
    last = max(len(found) - length, 0)
    return [tuple(found[start : start + length]) for start in range(last + 1)]


def jaccard(a: Collection[Hashable], b: Collection[Hashable]) -> float:
    """Return the share of all members that both have; 0 for two empty sets."""
    either = set(a) | set(b)
    return len(set(a) & set(b)) / len(either) if either else 0.0


def signature(shingle_hashes: Iterable[int], num_perm: int = 128) -> np.ndarray:
    """Sign 64-bit shingles by datasketch, from their upper 32 bits."""
    minhash = MinHash(num_perm=num_perm, seed=1, hashfunc=int, scheme="affine32")
    minhash.update_batch([int(value) >> 32 for value in shingle_hashes])
    return minhash.hashvalues


def wide_signature(shingle_hashes: Iterable[int], num_perm: int) -> np.ndarray:
    """Sign 64-bit shingles by datasketch, all of their bits."""
    minhash = MinHash(num_perm=num_perm, seed=1, hashfunc=int, scheme="affine64")
    minhash.update_batch([int(value) for value in shingle_hashes])
    return minhash.hashvalues


def finish_64(value: int) -> int:
    """Spread 64 bits by MurmurHash3's fmix64."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value = (value ^ value >> 33) * factor % 2**64
    return value ^ value >> 33


def fast_similarity(shingle_hashes: Collection[int]) -> list[int]:
    """Sign 64-bit shingles by Fast Similarity Sketching as defined, all 256 rounds of 128 slots."""
    slots = [2**32 - 1] * 128
    for number in range(256):
        multiplier = finish_64(number * 0x9E3779B97F4A7C15 % 2**64) | 1 if number else 1
        for shingle in shingle_hashes:
            hashed = shingle * multiplier % 2**64
            slot = hashed >> 57 if number < 128 else number - 128
            slots[slot] = min(slots[slot], number << 24 | hashed >> 33 & 0xFFFFFF)
    return slots


def exhaustive_pairs(texts: Sequence[str], threshold: float) -> dict[tuple[int, int], float]:
    """Return every pair (smaller index first) whose Jaccard is at least `threshold`, above 0.

    Counts shared shingles through an inverted index: feasible for a few thousand texts.
    """
    sets = [set(shingles(text)) for text in texts]
    holders: dict[tuple[str, ...], list[int]] = {}
    pairs = {}
    for index, own in enumerate(sets):
        shared: Counter[int] = Counter()
        for shingle in own:
            shared.update(holders.get(shingle, ()))
            holders.setdefault(shingle, []).append(index)
        for other, count in shared.items():
            value = count / (len(own) + len(sets[other]) - count)
            if value >= threshold:
                pairs[other, index] = value
    return pairs


def clusters(num_documents: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return for each document the smallest index that pairs lead to."""
    neighbours: list[set[int]] = [{index} for index in range(num_documents)]
    for a, b in pairs:
        neighbours[a].add(b)
        neighbours[b].add(a)
    labels = [-1] * num_documents
    for start in range(num_documents):
        reached = [start] if labels[start] < 0 else []
        while reached:
            index = reached.pop()
            if labels[index] < 0:
                labels[index] = start
                reached += neighbours[index]
    return labels
