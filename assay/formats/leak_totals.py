"""What of validation documents and benchmarks stands in train, in totals of audits and of bins."""

import msgspec
from msgspec import UNSET, UnsetType

from assay.terminal.numbers import count, number_of, share


class SpanTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What validation documents share with train by n-grams (`ngram`: unit and length).

    An n-gram that stands in over `boilerplate_clusters` clusters of train is boilerplate, and
    counts for nothing but `boilerplate_ngrams` and `boilerplate_documents`, which have one.
    `contained`, `copied` and `spans` are documents whose best tier this is; `too_short` ones have
    no n-gram: of them only copies are looked for. Of the `ngrams` of all documents `shared_ngrams`
    stand in train and count. `listed` spans are in spans.parquet, `unlisted` are not.
    """

    ngram: str
    boilerplate_clusters: int
    contained: int = 0
    copied: int = 0
    spans: int = 0
    too_short: int = 0
    ngrams: int = 0
    shared_ngrams: int = 0
    boilerplate_ngrams: int = 0
    boilerplate_documents: int = 0
    listed: int = 0
    unlisted: int = 0


class SuiteTotals(msgspec.Struct, frozen=True, kw_only=True):
    """A suite of a benchmark: its `items`, those that were `measured`, those `contaminated`.

    `interval` holds the share of contaminated items among such items at 95 % (Wilson 1927); unset
    where none was measured.
    """

    suite: str
    items: int
    measured: int = 0
    contaminated: int = 0
    interval: tuple[float, float] | UnsetType = UNSET


class BenchmarkTotals(msgspec.Struct, frozen=True, kw_only=True):
    """What items of benchmarks share with train by n-grams; `total` has all suites together.

    Items without an n-gram that has a letter are not measured.
    """

    ngram: str
    boilerplate_clusters: int
    total: SuiteTotals
    suites: list[SuiteTotals] = []


class Leaks(msgspec.Struct, frozen=True):
    """Validation documents that leaked, by tier, and the tokens that they hold.

    `spans` is what n-grams gave; unset where none were looked for.
    """

    val_documents: int = 0
    exact: int = 0
    near: int = 0
    tokens: int = 0
    spans: SpanTotals | UnsetType = UNSET

    @property
    def tiers(self) -> dict[str, int]:
        """Leaked documents by tier: those that were looked for."""
        copies = {"exact": self.exact, "near": self.near}
        if self.spans is UNSET:
            return copies
        return copies | {"contained": self.spans.contained, "copied": self.spans.copied}

    @property
    def leaked(self) -> int:
        """Leaked documents."""
        return sum(self.tiers.values())


class SplitChecks(msgspec.Struct, frozen=True, kw_only=True):
    """What finished bins were looked through for, and the validation documents that stand in train.

    *exact* compares hashes of texts; *near* each pair of documents by its Jaccard of shingles
    (`shingle`), at or above `threshold`, without permutations. `shingle` is "none" where near
    duplicates were not looked for.
    """

    leaks: Leaks = Leaks()
    shingle: str = "none"
    threshold: float = 0.0

    def describe(self) -> str:
        """Say in one line what was found."""
        looked_for = {
            tier: number
            for tier, number in self.leaks.tiers.items()
            if tier != "near" or self.shingle != "none"
        }
        return (
            f"{share(self.leaks.leaked, self.leaks.val_documents)} of val documents stand in "
            "train: " + ", ".join(f"{count(number)} {tier}" for tier, number in looked_for.items())
        )

    def list_unchecked(self) -> list[str]:
        """Say what was not looked at, a line each."""
        spans, lines = self.leaks.spans, []
        if self.shingle == "none":
            lines.append("not checked: near duplicates that the audit did not find")
        if spans is UNSET:
            lines.append("not checked: what val shares with train by n-grams")
        elif spans.too_short:
            documents = number_of(spans.too_short, "val document")
            lines.append(
                f"not checked: n-grams of {documents} with fewer words than "
                f"{spans.ngram.partition(':')[2]}"
            )
        return lines
