"""Slow twins of what tells bins: one id, one word, one document at a time."""

from collections.abc import Sequence


def documents(ids: Sequence[int], mark: int) -> list[list[int]]:
    """Return the documents of a bin whose marks stand before each, after each, or on both sides."""
    parts: list[list[int]] = [[]]
    for each in ids:
        if each == mark:
            parts.append([])
        else:
            parts[-1].append(each)
    marks = len(parts) - 1
    on_edges = bool(ids) and ids[0] == mark and ids[-1] == mark
    if on_edges and marks >= 4 and marks % 2 == 0 and not any(parts[2:-1:2]) and all(parts[1::2]):
        return parts[1::2]
    if ids and ids[0] == mark:
        return parts[1:]
    return parts[:-1] if not parts[-1] else parts


def longest_run(values: Sequence[int], wanted: int) -> tuple[int, int]:
    """Return the length of the longest run of a value, and where the first such begins."""
    best, at, run = 0, -1, 0
    for place, value in enumerate(values):
        run = run + 1 if value == wanted else 0
        if run > best:
            best, at = run, place - run + 1
    return best, at


def tail(values: Sequence[int], wanted: int) -> int:
    """Return how many of the last values are a given one."""
    length = 0
    for value in reversed(values):
        if value != wanted:
            break
        length += 1
    return length


def wide(words: Sequence[int], vocab_size: int) -> str | None:
    """Tell 64 or 32 bits an id from 16-bit words, as `widths.tell_wide` states it."""
    most = (vocab_size - 1) >> 16
    for name, size in (("int64", 4), ("uint32", 2)):
        ids = [words[place : place + size] for place in range(0, len(words) - size + 1, size)]
        lows, highs = [each[0] for each in ids], [each[1] for each in ids]
        if any(any(each[2:]) for each in ids) or not any(lows):
            continue
        if len(ids) >= 4 and max(highs) <= most:
            return name
        if len(ids) >= 64 and max(highs) <= 15 and max(lows) >= 1024:
            return name
    return None
