"""Totals of an audit's manifest."""

import msgspec

from assay.terminal.text import show_line


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
