"""The totals of manifests as types: what `audit` and `prepare` promise, checked when read."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from assay.artifacts import Manifest
from assay.console import show_line
from assay.errors import InputError

T = TypeVar("T")


class Part(msgspec.Struct, frozen=True):
    """Some documents and their tokens."""

    documents: int = 0
    tokens: int = 0


class ShardTotals(msgspec.Struct, frozen=True):
    """One shard, and its own `token_count` held against the exact counts.

    `stored_counts` values are there, `stored_tokens` is their sum, `mismatches` differ, `one_more`
    of those by an end-of-text.
    """

    name: str
    split: str
    documents: int
    bytes: int
    tokens: int
    stored_counts: int = 0
    stored_tokens: int | None = None
    mismatches: int = 0
    one_more: int = 0


class LengthBin(msgspec.Struct, frozen=True, rename={"first": "from"}):
    """Documents of `first` up to, not including, `below` tokens."""

    first: int
    below: int
    documents: int
    tokens: int


class Longer(msgspec.Struct, frozen=True):
    """Documents longer than `length` tokens, and the share of all tokens in them."""

    length: int
    documents: int
    tokens: int
    share_of_tokens: float


class Lengths(msgspec.Struct, frozen=True):
    """Lengths in tokens, as `audit.lengths.measure_lengths` gives them."""

    mean: float = 0.0
    quantiles: dict[str, int] = {}
    histogram: list[LengthBin] = []
    longer: list[Longer] = []


class Clusters(msgspec.Struct, frozen=True):
    """Clusters of two documents or more."""

    count: int = 0
    largest: int = 0


class Pairs(msgspec.Struct, frozen=True):
    """Pairs that the bands proposed, and what their true Jaccard made of them."""

    candidates: int = 0
    exact: int = 0
    near: int = 0
    joined: int = 0
    uncompared: int = 0


class Leaks(msgspec.Struct, frozen=True):
    """Validation documents with a copy in train."""

    val_documents: int = 0
    exact: int = 0
    near: int = 0
    tokens: int = 0


class PlantedLevel(msgspec.Struct, frozen=True):
    """Pairs planted at one Jaccard: how many the bands proposed, and how many they should."""

    jaccard: float
    pairs: int
    found: int
    expected: float
    deviation: float


class Lsh(msgspec.Struct, frozen=True):
    """Bands in force; `detection` has (Jaccard, chance that a pair of it is proposed)."""

    bands: int
    rows: int
    threshold: float
    shingle: str = "words:5"
    signature: str = "affine32"
    detection: list[tuple[float, float]] = []
    planted: list[PlantedLevel] = []
    near_pairs: int = 0
    near_recall: float | None = None
    near_recall_error: float | None = None
    verified: int | None = None

    @property
    def shingles(self) -> str:
        """What a shingle is, in words."""
        unit, _, length = self.shingle.partition(":")
        return show_line(f"{length} {unit}", 80)


class TokenizerCheck(msgspec.Struct, frozen=True):
    """Documents that the reference tokenizer encoded, too, and found equal."""

    backend: str = ""
    documents: int = 0


class AuditTotals(msgspec.Struct, frozen=True):
    """What an audit's manifest counts."""

    documents: int
    rows: int
    tokens: int
    bytes: int
    unique_tokens: int
    lsh: Lsh
    null: int = 0
    empty: int = 0
    blank: int = 0
    short: int = 0
    invalid_utf8: int = 0
    dropped_invalid: int = 0
    oversized: int = 0
    train: Part = Part()
    val: Part = Part()
    shards: list[ShardTotals] = []
    lengths: Lengths = Lengths()
    exact: Part = Part()
    near: Part = Part()
    clusters: Clusters = Clusters()
    pairs: Pairs = Pairs()
    leaks: Leaks = Leaks()
    tokenizer_check: TokenizerCheck = TokenizerCheck()
    set_aside: list[str] = []


class SplitTotals(msgspec.Struct, frozen=True):
    """One bin: `ids` is its length, tokens and one end-of-text a document."""

    documents: int
    tokens: int
    ids: int
    unique_tokens: int


class SplitCheck(msgspec.Struct, frozen=True):
    """The audit's pairs among kept documents, and those that cross train and val."""

    pairs_within_kept: int = 0
    exact_across: int = 0
    near_across: int = 0


class BinsTotals(msgspec.Struct, frozen=True):
    """What a bins manifest counts."""

    documents_in: int
    tokens_in: int
    train: SplitTotals
    val: SplitTotals
    dropped: dict[str, Part] = {}
    split_check: SplitCheck = SplitCheck()

    @property
    def documents_out(self) -> int:
        """Documents kept and dropped; equals `documents_in` where nothing was lost."""
        gone = sum(part.documents for part in self.dropped.values())
        return self.train.documents + self.val.documents + gone

    @property
    def tokens_out(self) -> int:
        """Tokens kept and dropped; equals `tokens_in` where nothing was lost."""
        gone = sum(part.tokens for part in self.dropped.values())
        return self.train.tokens + self.val.tokens + gone


def convert(value: Any, kind: type[T], where: str) -> T:
    """Check a JSON value against a type of ours.

    Raises:
        InputError: A key is missing or of another type; the message names it and `where`.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{where}: {error}; write it again with this assay") from error


def read_totals(folder: Path, manifest: Manifest, kind: type[T]) -> T:
    """Read a manifest's totals as `kind`. Errors as in `convert`."""
    return convert(manifest.totals, kind, f"{folder}/manifest.json: totals")
