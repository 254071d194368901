"""The rule of an audit: when two texts are near duplicates, and how pairs of them are proposed."""

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from assay.audit.minhash.affine32 import make_permutations
from assay.audit.minhash.affine64 import make_wide_permutations
from assay.audit.minhash.detection import detection
from assay.audit.minhash.fast_similarity import NUM_SLOTS, Slots
from assay.audit.minhash.sign import Scheme
from assay.audit.text.shingling import UNITS, Shingling
from assay.errors import UsageError

SchemeName = Literal["affine32", "affine64", "slots"]
SCHEMES: tuple[SchemeName, ...] = get_args(SchemeName)
MOST_VALUES = 1 << 14  # of a signature; RefinedWeb's 9,000 are the most in the literature


@dataclass(frozen=True, slots=True)
class Rule:
    """Near duplicates have a Jaccard of at least `threshold`; `bands` of `rows` propose them.

    Signatures are by datasketch's permutations of 32 or 64 bits ("affine32", "affine64"), or by
    Fast Similarity Sketching ("slots").
    """

    threshold: float = 0.8
    bands: int = 16
    rows: int = 8
    shingling: Shingling = Shingling()  # noqa: RUF009  # frozen
    scheme: SchemeName = "affine32"

    def check(self) -> None:
        """Raise UsageError where a value is out of range."""
        if not 0 < self.threshold <= 1:
            raise UsageError(f"--threshold is {self.threshold:g}, needed over 0 and at most 1")
        most = NUM_SLOTS if self.scheme == "slots" else MOST_VALUES
        if self.bands < 1 or self.rows < 1 or self.num_values > most:
            raise UsageError(
                f"{self.bands} bands of {self.rows} rows: needed at least 1 of each, and at most "
                f"{most:,} values in all of {self.scheme}"
            )

    @property
    def num_values(self) -> int:
        """Values of a signature that the bands take."""
        return self.bands * self.rows

    def make_scheme(self) -> Scheme:
        """Return what signs documents."""
        if self.scheme == "slots":
            return Slots()
        if self.scheme == "affine64":
            return make_wide_permutations(self.num_values)
        return make_permutations(self.num_values)

    def detect(self, jaccard: float) -> float:
        """Return the chance that a pair of this Jaccard is proposed.

        Exact for permutations, whose values are independent; slots find somewhat fewer pairs at
        low Jaccard and more at high ones, by some 0.02 at most (LOG.md).
        """
        return detection(jaccard, self.bands, self.rows)

    def describe(self) -> dict[str, Any]:
        """Return the rule as a manifest names it."""
        return {
            "threshold": self.threshold,
            "bands": self.bands,
            "rows": self.rows,
            "shingle": f"{self.shingling.unit}:{self.shingling.length}",
            "signature": self.scheme,
        }


# What others use. Texts are normalised by our rules (docs/contracts.md), and pairs are verified:
# the same bands propose, but fewer pairs are called near than where a shared band is enough.
PRESETS = {
    # datatrove examples/fineweb.py; "at least 75% similar" (FineWeb, arXiv 2406.17557)
    "fineweb": Rule(0.75, 14, 8, scheme="affine64"),
    # Cerebras modelzoo, slimpajama/dedup: 13 characters, 128 permutations
    "slimpajama": Rule(0.8, 9, 13, Shingling("letters", 13)),
    # NeMo Curator, stages/deduplication/fuzzy: 24 characters
    "nemo": Rule(0.8, 20, 13, Shingling("characters", 24)),
    # RefinedWeb (arXiv 2306.01116), appendix G: 9,000 hashes in 450 bands
    "refinedweb": Rule(0.8, 450, 20),
    # datasketch's MinHashLSH(threshold, num_perm=128): bands and rows follow from the threshold
    "datasketch": Rule(),
}


def choose_rule(
    preset: str | None = None,
    *,
    threshold: float | None = None,
    bands: int | None = None,
    rows: int | None = None,
    shingle: str | None = None,
    scheme: SchemeName | None = None,
) -> Rule:
    """Return a preset's rule, or the default one, with what else is named in place of its values.

    Args:
        preset: One of `PRESETS`.
        threshold: Smallest Jaccard of a near duplicate, in (0, 1].
        bands: Of a signature.
        rows: Values in a band.
        shingle: Unit and length, as "words:5".
        scheme: What signs: one of `SCHEMES`.

    Raises:
        UsageError: The preset or the shingle is unknown, or a value is out of range.
    """
    if preset is not None and preset not in PRESETS:
        raise UsageError(f"no preset {preset!r}; there are {', '.join(PRESETS)}")
    rule = PRESETS[preset] if preset else Rule()
    changes: dict[str, Any] = {"threshold": threshold, "scheme": scheme}
    if shingle is not None:
        changes["shingling"] = read_shingling(shingle)
    rule = replace(rule, **{name: value for name, value in changes.items() if value is not None})
    if preset == "datasketch" and 0 < rule.threshold <= 1:
        optimal = _ask_datasketch(rule.threshold)
        rule = replace(rule, bands=optimal[0], rows=optimal[1])
    rule = replace(rule, bands=bands or rule.bands, rows=rows or rule.rows)
    rule.check()
    return rule


def read_shingling(text: str) -> Shingling:
    """Read "UNIT:LENGTH". Raises UsageError where it is no shingle."""
    unit, _, length = text.partition(":")
    if unit not in UNITS or not (length.isascii() and length.isdigit() and 1 <= int(length) <= 999):
        units = ", ".join(UNITS)
        raise UsageError(f"--shingle is {text!r}, needed UNIT:LENGTH, the unit one of {units}")
    return Shingling(unit, int(length))


def _ask_datasketch(threshold: float) -> tuple[int, int]:
    """Return the bands and rows that datasketch chooses for 128 values."""
    from datasketch import MinHashLSH  # brings scipy: 0.5 s

    try:
        index = MinHashLSH(threshold=threshold, num_perm=128)
    except ValueError as error:
        raise UsageError(
            f"datasketch has no bands for --threshold {threshold:g}: {error}"
        ) from error
    return int(index.b), int(index.r)
