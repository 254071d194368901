"""Slow twins of shared n-grams and spans: sets of strings, and every pair of places."""

import unicodedata
from collections.abc import Collection, Sequence

from tests.twins.audit import words


def ngrams(text: str, length: int) -> list[str]:
    """Return each run of `length` words as one string; none where the text is shorter."""
    found = words(text)
    return [" ".join(found[at : at + length]) for at in range(len(found) - length + 1)]


def place_words(text: str) -> list[int]:
    """Return where each word of a text in NFC begins: where one more word is read."""
    text = unicodedata.normalize("NFC", text)
    read = [len(words(text[:end])) for end in range(len(text) + 1)]
    # A capital may be lower-cased to two code points, but never to two words.
    return [at for at in range(len(text)) if read[at + 1] > read[at]]


def shared_ngrams(val: str, train: str, length: int, ignored: Collection[str] = ()) -> int:
    """Count the n-grams of `val`, repeats included, that `train` has and that are not ignored."""
    there = set(ngrams(train, length)) - set(ignored)
    return sum(ngram in there for ngram in ngrams(val, length))


def all_spans(
    val: str, train: str, length: int, ignored: Collection[str] = ()
) -> set[tuple[int, int, int]]:
    """Return every span (word of val, word of train, words) that two texts share.

    A word pair is covered where an n-gram that both have there, and that is not ignored, covers it;
    a span is a longest run of covered pairs.
    """
    in_val, in_train = ngrams(val, length), ngrams(train, length)
    covered = {
        (a + more, b + more)
        for a, ngram in enumerate(in_val)
        for b, other in enumerate(in_train)
        if ngram == other and ngram not in ignored
        for more in range(length)
    }
    spans = set()
    for a, b in covered:
        if (a - 1, b - 1) not in covered:
            number = 1
            while (a + number, b + number) in covered:
                number += 1
            spans.add((a, b, number))
    return spans


def boilerplate(train: Sequence[str], clusters: Sequence[int], length: int, limit: int) -> set[str]:
    """Return the n-grams that stand in documents of over `limit` clusters."""
    where: dict[str, set[int]] = {}
    for text, cluster in zip(train, clusters, strict=True):
        for ngram in ngrams(text, length):
            where.setdefault(ngram, set()).add(cluster)
    return {ngram for ngram, found in where.items() if len(found) > limit}
