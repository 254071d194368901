r"""Long runs of white space, cut where an encoding's pattern cuts them, so that tiktoken can go on.

tiktoken's regex engine keeps a state for each character that `\s+(?!\S)` takes, and panics at a
million of them (0.14). A run of white space W between A and B is cut like this. A match begins at
each cut, and what it finds depends on nothing before it; what stands before a cut ends without
white space, or in that of its own match, so that it too is matched as it was. Hence the ids of the
parts are those of the whole: a part that is one match is encoded as one piece, merges and all, and
the rest by tiktoken as ever.

gpt2, r50k, p50k   No match that begins in A reaches into W. One match is all of W where the text
                   ends with it, else all but its last character, which may begin B's first word.
cl100k, o200k      A match of punctuation (no letter, no number) also takes the line breaks that W
                   begins with. One match of the rest ends with its last line break; another is what
                   follows, but for its last character if B is not empty. Under cl100k at the end of
                   a text one match is all of the rest.

Where it cannot be told whether A ends in punctuation, a run that begins with a line break stays
whole: under o200k a mark (Unicode category M) may belong to a word or not, and an unassigned code
point may be a letter in another version of Unicode.
"""

import re
import unicodedata
from collections.abc import Iterator

import tiktoken

GPT2_PATTERN = (
    r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
)
CL100K_PATTERN = (
    r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"""
    r"""| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
)
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CONTRACTED = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K_PATTERN = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTED}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTED}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
LONG_RUN = 100_000  # characters; shorter ones are left to tiktoken
# Unicode's property White_Space, which `\s` means there; Python's `\s` has four more.
WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def encode_text(encoding: tiktoken.Encoding, text: str, longest: int = LONG_RUN) -> list[int]:
    """Return the ids of a text, which are `encoding.encode_ordinary`'s.

    Runs of white space of more than `longest` characters (at least 2) are cut out first.
    """
    if len(text) <= longest:
        return encoding.encode_ordinary(text)
    ids: list[int] = []
    at = 0
    for start, end in _find_matches(text, encoding._pat_str, longest):
        ids += encoding.encode_ordinary(text[at:start])
        ids += encoding._encode_single_piece(text[start:end])
        at = end
    return ids + encoding.encode_ordinary(text[at:])


def _find_matches(text: str, pattern: str, longest: int) -> Iterator[tuple[int, int]]:
    """Yield the matches of the pattern that lie within long runs of white space."""
    if pattern not in (GPT2_PATTERN, CL100K_PATTERN, O200K_PATTERN):
        return
    for run in re.finditer(f"[{WHITE_SPACE}]{{{longest + 1},}}", text):
        start, end = run.span()
        if pattern != GPT2_PATTERN:
            taken = _count_taken(text, start, end, pattern)
            if taken is None or end - start - taken < 2:
                continue
            start += taken
            if end < len(text) or pattern == O200K_PATTERN:
                breaks = 1 + max(text.rfind("\n", start, end), text.rfind("\r", start, end))
                if breaks > start:
                    yield start, breaks
                    start = breaks
        last = end - (end < len(text))
        if end - start >= 2 and last > start:
            yield start, last


def _count_taken(text: str, start: int, end: int, pattern: str) -> int | None:
    """Return how many line breaks a run begins with that belong to what stands before; or None."""
    breaks = start
    while breaks < end and text[breaks] in "\r\n":
        breaks += 1
    if start == 0 or breaks == start:
        return 0
    category = unicodedata.category(text[start - 1])
    if category == "Cn" or (category[0] == "M" and pattern == O200K_PATTERN):
        return None
    return 0 if category[0] in "LN" else breaks - start
