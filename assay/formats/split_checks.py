"""What was looked for between train and val of finished bins, and what was found."""

import msgspec

from assay.terminal.numbers import count, number_of, share


class SplitChecks(msgspec.Struct, frozen=True, kw_only=True):
    """Validation documents that stand in train, by their worst tier, each counted once.

    *exact* compares hashes of texts. *near*: Jaccard of shingles (`shingle`) at or above
    `threshold`, of every pair, without permutations. *contained*: half of the n-grams (`ngram`)
    stand in train. *copied*: 50 words in a row, or more, that one training document has.
    An n-gram that stands in over `boilerplate_clusters` clusters of train counts for neither.

    `ngram` is "none" where nothing but hashes was compared, `shingle` where near duplicates were
    not looked for here. `too_short` documents have no n-gram, so that they are neither contained
    nor copied. `spans` share an n-gram that counts, and are no leaks.
    """

    ngram: str = "none"
    boilerplate_clusters: int = 0
    shingle: str = "none"
    threshold: float = 0.0
    val_documents: int = 0
    exact: int = 0
    near: int = 0
    contained: int = 0
    copied: int = 0
    spans: int = 0
    too_short: int = 0
    ngrams: int = 0
    boilerplate_ngrams: int = 0

    @property
    def leaked(self) -> int:
        """Validation documents that stand in train, of the tiers that count."""
        return self.exact + self.near + self.contained + self.copied

    def describe(self) -> str:
        """Say in one line what was found."""
        tiers = [f"{count(self.exact)} exact"]
        if self.shingle != "none":
            tiers.append(f"{count(self.near)} near")
        if self.ngram != "none":
            tiers += [f"{count(self.contained)} contained", f"{count(self.copied)} copied"]
        return (
            f"{share(self.leaked, self.val_documents)} of val documents stand in train: "
            + ", ".join(tiers)
        )

    def list_unchecked(self) -> list[str]:
        """Say what was not looked at, a line each."""
        if self.ngram == "none":
            return [
                "not checked: what val shares with train by n-grams, and near duplicates that the "
                "audit did not find"
            ]
        lines = []
        if self.shingle == "none":
            lines.append(
                "not checked: near duplicates that the audit did not find; its shingles are not "
                "of words"
            )
        if self.too_short:
            documents = number_of(self.too_short, "val document")
            lines.append(
                f"not checked: n-grams of {documents} with fewer words than "
                f"{self.ngram.partition(':')[2]}"
            )
        return lines
