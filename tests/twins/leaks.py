"""Slow twin of leaks between val and train: sets of strings, and every pair of places."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.twins.audit import words

Gram = tuple[str, ...]


class _Letters(dict[int, str]):
    """What each code point is in a text of words with spaces between them, by the word rule."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        found = "".join(words(char)) or " "
        alone = len(words(char + "x")) == 2
        self[point] = f" {found} " if alone else found
        return self[point]


_LETTERS = _Letters()


def split_words(text: str) -> list[str]:
    """Return the words of a text, as `tests.twins.audit.words`, but a hundred times as fast."""
    return unicodedata.normalize("NFC", text).translate(_LETTERS).split()


def grams(found: Sequence[str], length: int) -> list[Gram]:
    """Return each run of so many words."""
    return list(zip(*(found[at:] for at in range(length)), strict=False))


def shingles(found: Sequence[str], length: int) -> set[Gram]:
    """Return the different shingles; all words of a shorter text are one."""
    return set(grams(found, length)) or ({tuple(found)} if found else set())


def find_leaked(
    val: Sequence[Sequence[str]],
    train: Sequence[Sequence[str]],
    clusters: Sequence[int],
    *,
    length: int = 13,
    limit: int = 10,
    shingle: int | None = 5,
    threshold: float = 0.8,
    copied: int = 50,
) -> dict[int, str]:
    """Return the tier of each leaked document of `val`, all given as words: near before others."""
    own = [grams(found, length) for found in val]
    asked = set().union(*own) if own else set()
    there = [asked.intersection(grams(found, length)) for found in train]
    spread: dict[Gram, set[int]] = {}
    for found, cluster in zip(there, clusters, strict=True):
        for gram in found:
            spread.setdefault(gram, set()).add(cluster)
    counts = {gram for gram, where in spread.items() if len(where) <= limit}
    tiers = {}
    for number, found in enumerate(own):
        covered = sum(gram in counts for gram in found)
        if covered and any(
            longest_run(found, grams(train[other], length), counts, length) >= copied
            for other, shared in enumerate(there)
            if shared & counts and not shared.isdisjoint(found)
        ):
            tiers[number] = "copied"
        if found and 2 * covered >= len(found):
            tiers[number] = "contained"
    if shingle is not None:
        tiers |= dict.fromkeys(_find_near(val, train, shingle, threshold), "near")
    return tiers


def longest_run(val: Sequence[Gram], train: Sequence[Gram], counts: set[Gram], length: int) -> int:
    """Return the words of the longest span that grams which count cover, at any pair of places."""
    places: dict[Gram, list[int]] = {}
    for place, gram in enumerate(train):
        places.setdefault(gram, []).append(place)
    longest, before = 0, {}
    for at, gram in enumerate(val):
        lines = {}
        for place in places.get(gram, ()):
            begun, last = before.get(place - 1, (-1, -1))
            if gram in counts:
                begun = at if begun < 0 or at - last > length else begun
                last = at
                longest = max(longest, at + length - begun)
            lines[place] = begun, last
        before = lines
    return longest


def _find_near(
    val: Sequence[Sequence[str]], train: Iterable[Sequence[str]], length: int, threshold: float
) -> set[int]:
    sets = [shingles(found, length) for found in val]
    holders: dict[Gram, list[int]] = {}
    for number, own in enumerate(sets):
        for gram in own:
            holders.setdefault(gram, []).append(number)
    near = set()
    known = holders.keys()
    for found in train:
        other = shingles(found, length)
        shared = Counter(number for gram in other & known for number in holders[gram])
        for number, both in shared.items():
            if both >= threshold * (len(sets[number]) + len(other) - both):
                near.add(number)
    return near
