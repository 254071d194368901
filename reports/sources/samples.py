"""Texts of a few documents, from the ids that an audit kept: redacted, cut, compared by words."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property

import numpy as np
import polars as pl

from assay.corpus.bins.characters import restore_tokenizer
from assay.corpus.tokenizer import Tokenizer
from assay.formats.audit import Audit, locate_documents
from assay.reports.page.page import Piece
from assay.reports.page.redact import redact
from assay.terminal.text import show_text

EXCERPT = 300  # characters of a sample, at most
_MAX_IDS = 20_000  # ids of a document that are decoded: about 90 kB of English
_BEFORE = 12  # words shown before the first that differs
_WINDOW = 120  # words compared from there on


@dataclass(frozen=True, slots=True)
class Compared:
    """Two excerpts, and how many words are the same before the first that differs."""

    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
    same_words: int
    differs: bool


class Samples:
    """Reads texts of one audit's documents by (shard, row).

    Args:
        audit: A sealed audit.
        raw: Show texts as they are; otherwise what looks like personal data is hidden first.
    """

    def __init__(self, audit: Audit, *, raw: bool = False) -> None:
        self._audit = audit
        self._raw = raw

    @cached_property
    def documents(self) -> pl.DataFrame:
        """The audit's documents."""
        return self._audit.read("documents")

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return restore_tokenizer(self._audit.manifest.tokenizer)

    @cached_property
    def _starts_N(self) -> np.ndarray:
        return locate_documents(self.documents)

    def find(self, shard: int, row: int) -> int | None:
        """Return a document's position in the table of documents, or None."""
        here = (self.documents["shard"] == shard) & (self.documents["row"] == row)
        return next(iter(here.arg_true()), None)

    def read(self, shard: int, row: int) -> str | None:
        """Return the beginning of a text, safe to show; None where no ids were kept."""
        position = self.find(shard, row)
        if position is None or not self._audit.token_files:
            return None
        start = int(self._starts_N[position])
        num_ids = min(int(self.documents["tokens"][position]), _MAX_IDS)
        ids_T = self._audit.map_tokens(shard)[start : start + num_ids]
        text = self._tokenizer.decode(ids_T).decode("utf-8", "replace").replace("\r\n", "\n")
        return show_text(text if self._raw else redact(text))


def cut(text: str, limit: int = EXCERPT) -> str:
    """Return the beginning of a text on one line, at most `limit` characters, "…" where cut."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[: limit - 1] + "\u2026"


def compare_texts(left: str, right: str) -> Compared:
    """Compare two texts by words around their first difference; cost is bounded.

    Words before it are counted, the last 12 are shown; from there 120 words of each side are
    aligned and shown until 300 characters.
    """
    a, b = left.split(), right.split()
    same = next(
        (i for i, (one, other) in enumerate(zip(a, b, strict=False)) if one != other),
        min(len(a), len(b)),
    )
    first = max(0, same - _BEFORE)
    window_a, window_b = a[first : first + _WINDOW], b[first : first + _WINDOW]
    codes = SequenceMatcher(None, window_a, window_b, autojunk=False).get_opcodes()
    kinds = [("same" if tag == "equal" else "differs", i, j, k, m) for tag, i, j, k, m in codes]
    return Compared(
        left=_piece([(kind, window_a[i:j]) for kind, i, j, _, _ in kinds], first > 0),
        right=_piece([(kind, window_b[k:m]) for kind, _, _, k, m in kinds], first > 0),
        same_words=same,
        differs=a != b,
    )


def _piece(runs: Sequence[tuple[str, list[str]]], begun: bool) -> tuple[Piece, ...]:
    """Join words to pieces, `EXCERPT` characters in all."""
    pieces = [Piece("\u2026 ", "same")] if begun else []
    left = EXCERPT - sum(len(piece.text) for piece in pieces)
    for kind, words in runs:
        text = " ".join(words)
        if not text:
            continue
        if len(text) + 1 > left:
            pieces.append(Piece(text[: max(0, left - 1)] + "\u2026", kind))
            break
        pieces.append(Piece(text + " ", kind))
        left -= len(text) + 1
    return tuple(pieces)
