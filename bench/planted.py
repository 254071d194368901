"""Near duplicates that we plant, so that what a tool finds can be counted against what is there.

A copy is a document with one change: words replaced, deleted and inserted at a stated rate, the
tail cut off, all letters made capital, or each run of white space made one space. Words here are
what Python's regular expressions call so, lower-cased, and shingles runs of five: a reference apart
from assay's kernel.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

EDIT_SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30)
CUT_SHARES = (0.05, 0.10, 0.20, 0.30)
MIN_WORDS = 50  # shorter documents are not copied: one edit would be a fifth of their shingles
_WORD = re.compile(r"\w+")
_SPACE = re.compile(r"(\s+)")
_SHINGLE_WORDS = 5


@dataclass(frozen=True, slots=True)
class Planted:
    """A copy: of which document, how it was changed, and the true Jaccard of the two."""

    id_a: str
    id_b: str
    change: str
    jaccard: float


def edit_words(text: str, share: float, *, pool: Sequence[str], rng: random.Random) -> str:
    """Change about `share` of the words: half replaced, a quarter deleted, a quarter preceded.

    New words come from `pool`; white space between words stays.
    """
    pieces = _SPACE.split(text)
    for at in range(0, len(pieces), 2):
        if not pieces[at] or rng.random() >= share:
            continue
        way = rng.random()
        word = "" if 0.5 <= way < 0.75 else rng.choice(pool)
        pieces[at] = f"{word} {pieces[at]}" if way >= 0.75 else word
    return "".join(pieces)


def cut_tail(text: str, share: float) -> str:
    """Drop the last `share` of the words."""
    pieces = _SPACE.split(text)
    keep = round((len(pieces) + 1) / 2 * (1 - share))
    return "".join(pieces[: max(1, 2 * keep - 1)])


def plant_copy(text: str, nth: int, *, pool: Sequence[str], rng: random.Random) -> tuple[str, str]:
    """Return the `nth` kind of change, by name, and the changed text; the kinds take turns."""
    changes: list[tuple[str, Callable[[], str]]] = [
        *(
            (f"edit {share:.0%}", partial(edit_words, text, share, pool=pool, rng=rng))
            for share in EDIT_SHARES
        ),
        *((f"cut {share:.0%}", partial(cut_tail, text, share)) for share in CUT_SHARES),
        ("case", text.upper),
        ("space", lambda: " ".join(text.split())),
    ]
    name, change = changes[nth % len(changes)]
    return name, change()


def has_enough_words(text: str) -> bool:
    """Say whether a document is long enough to be copied with edits."""
    return sum(1 for _ in zip(_WORD.finditer(text), range(MIN_WORDS), strict=False)) == MIN_WORDS


def measure_jaccard(text_a: str, text_b: str) -> float:
    """Return the Jaccard similarity of two documents' sets of five-word shingles."""
    a, b = _list_shingles(text_a), _list_shingles(text_b)
    return len(a & b) / len(a | b) if a or b else 0.0


def _list_shingles(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    last = max(1, len(words) - _SHINGLE_WORDS + 1)
    return {tuple(words[at : at + _SHINGLE_WORDS]) for at in range(last)} if words else set()
