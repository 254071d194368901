"""Totals of an audit's manifest: what the audit builds, and what its readers get."""

import msgspec
from msgspec import UNSET, UnsetType

from assay.formats.leak_totals import BenchmarkTotals, Leaks
from assay.terminal.text import show_line


class Part(msgspec.Struct, frozen=True):
    """Some documents and their tokens."""

    documents: int = 0
    tokens: int = 0


class ShardTotals(msgspec.Struct, frozen=True, kw_only=True):
    """One shard, and its own `token_count` beside the exact counts.

    `stored_counts` values are there, `stored_tokens` is their sum, `mismatches` differ, `one_more`
    of those by an end-of-text; `stored_unreadable` more are no integers. `labels_unreadable` ids
    and addresses are no text, and null in the tables. Where it is `undivided`, documents cannot be
    told: those that are counted are blocks of ids.
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
    stored_unreadable: int = 0
    labels_unreadable: int = 0
    undivided: bool = False


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
    """Lengths of documents in tokens.

    `quantiles` are lengths of real documents: the smallest that at least this share of documents
    do not exceed. The bins of `histogram` double.
    """

    mean: float = 0.0
    quantiles: dict[str, int] = {}
    histogram: list[LengthBin] = []
    longer: list[Longer] = []


class Clusters(msgspec.Struct, frozen=True):
    """Clusters of two documents or more.

    `weakest` is the weakest link of the largest; `chained` documents are linked to the kept
    document only through others: their own Jaccard to it is below the threshold.
    """

    count: int = 0
    largest: int = 0
    weakest: float = 1.0
    chained: int = 0


class Pairs(msgspec.Struct, frozen=True):
    """Pairs that the bands proposed, and what their true Jaccard made of them.

    `unlisted` are pairs within groups of over 1,000 equal shingle sets, `joined` those left out
    since other pairs had joined them, `uncompared` those left out for want of budget.
    """

    candidates: int = 0
    exact: int = 0
    near: int = 0
    unlisted: int = 0
    joined: int = 0
    uncompared: int = 0


class Checksums(msgspec.Struct, frozen=True):
    """Shards whose pages carry checksums, which were compared, and the names of those without."""

    with_checksums: int = 0
    without: list[str] = []


class PlantedLevel(msgspec.Struct, frozen=True):
    """Pairs planted at one Jaccard: how many the bands proposed, and how many they should.

    `deviation` is what the number found strays from `expected` by chance alone: one standard
    error.
    """

    jaccard: float
    pairs: int
    found: int
    expected: float
    deviation: float


class Lsh(msgspec.Struct, frozen=True, kw_only=True):
    """Bands in force, and what they can find.

    `detection` has (Jaccard, chance that a pair of it is proposed). Of `planted_documents`, signed
    again from their sets, `planted_unlike` have other keys than the scan gave them. `near_recall`
    estimates the share found of the pairs with threshold <= J < 1, with its 95 % interval: those
    of `near_clusters`, beside `near_clusters_left_out` that are too large to be compared; null
    where it was not measured. `verified` of the `compared` candidates met the threshold: their
    share is `precision`.
    """

    threshold: float
    bands: int
    rows: int
    shingle: str = "words:5"
    signature: str = "affine32"
    detection: list[tuple[float, float]] = []
    planted: list[PlantedLevel] = []
    planted_documents: int = 0
    planted_unlike: int = 0
    near_pairs: int = 0
    near_recall: float | None = None
    near_recall_interval: tuple[float, float] | None = None
    near_clusters: int = 0
    near_clusters_left_out: int = 0
    compared: int | None = None
    verified: int | None = None
    precision: float | None = None

    @property
    def shingles(self) -> str:
        """What a shingle is, in words."""
        unit, _, length = self.shingle.partition(":")
        return show_line(f"{length} {unit}", 80)


class TokenizerCheck(msgspec.Struct, frozen=True):
    """Documents that the reference tokenizer encoded, too, and found equal."""

    backend: str = ""
    documents: int = 0


class ClaimedSize(msgspec.Struct, frozen=True):
    """A label of a training run that claims another number of parameters than its settings make."""

    label: str
    parameters: float


class BudgetTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of a planned training run beside the unique ones measured (`assay.laws.budgets`).

    `repetition` and `doubled` are ranges in nats a token: what repeats cost, and what twice the
    unique tokens would save. `rows` is the arithmetic in words: (what, number).
    """

    plan: str
    parameters: int
    claimed: ClaimedSize | None
    tokens_per_step: int
    steps: int
    seen: int
    unique: int
    epochs: float
    effective: float
    tokens_per_parameter: float
    repetition: tuple[float, float]
    doubled: tuple[float, float]
    caveats: list[str]
    largest_gap: float
    capacity: float
    notes: list[str]
    rows: list[tuple[str, str]]


class AuditTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit's manifest counts.

    Rows whose text is `null`, and texts that are `oversized`, are skipped: no documents. `empty`
    documents have no bytes, `blank` ones white space alone, `short` ones fewer words (or other
    units) than a shingle. `measured` sums the columns that auditors add, over all documents.
    `named_again` has [name, first name] of each file that was named more than once, `told_by_name`
    the files whose names said "val", or "test": those were set apart; `left_out` counts, by reason,
    files and folders among the inputs that are no shards. `wordless` documents have bytes and no
    word: no near duplicate is looked for. `undivided` has a line for each shard that cannot be cut
    into documents: blocks of 4,000,000 ids are counted as such.
    """

    rows: int
    documents: int
    null: int = 0
    invalid_utf8: int = 0
    dropped_invalid: int = 0
    oversized: int = 0
    empty: int = 0
    blank: int = 0
    short: int = 0
    bytes: int
    tokens: int
    train: Part = Part()
    val: Part = Part()
    shards: list[ShardTotals] = []
    lengths: Lengths = Lengths()
    exact: Part = Part()
    near: Part = Part()
    clusters: Clusters = Clusters()
    unique_tokens: int
    train_unique_tokens: int = 0
    pairs: Pairs = Pairs()
    leaks: Leaks = Leaks()
    lsh: Lsh
    tokenizer_check: TokenizerCheck = TokenizerCheck()
    set_aside: list[str] = []
    measured: dict[str, int] | UnsetType = UNSET
    budget: BudgetTotals | UnsetType = UNSET
    named_again: list[tuple[str, str]] | UnsetType = UNSET
    told_by_name: dict[str, list[str]] | UnsetType = UNSET
    left_out: dict[str, int] | UnsetType = UNSET
    wordless: int = 0
    undivided: list[str] | UnsetType = UNSET
    checksums: Checksums | UnsetType = UNSET
    benchmarks: BenchmarkTotals | UnsetType = UNSET

    def sum_of(self, column: str) -> int:
        """Return the sum of a column that an auditor adds, over all documents."""
        return (self.measured or {})[column]
