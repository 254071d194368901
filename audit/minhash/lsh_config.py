"""When two texts are near duplicates, and which bands of a MinHash signature propose pairs."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.band_keys import make_keys
from assay.audit.minhash.sign import Scheme, SchemeName, Signature, make_scheme, max_values
from assay.errors import UsageError
from assay.text.shingling import UNITS, Shingling


@dataclass(frozen=True, slots=True)
class MinHashConfig:
    """Near duplicates have a Jaccard of at least `threshold`; `bands` of `rows` propose them.

    `scheme` signs: datasketch's permutations of 32 or 64 bits, or Fast Similarity Sketching.
    """

    threshold: float = 0.8
    bands: int = 16
    rows: int = 8
    shingling: Shingling = Shingling()  # noqa: RUF009  # frozen
    scheme: SchemeName = "affine32"

    def check(self) -> None:
        """Raise UsageError where a value is out of range."""
        if not 0 < self.threshold <= 1:
            raise UsageError(
                f"threshold must be above 0 and at most 1, got {self.threshold:g}", "threshold"
            )
        if self.bands < 1 or self.rows < 1:
            raise UsageError(
                f"bands and rows must be at least 1, got {self.bands} and {self.rows}",
                "bands",
                "rows",
            )
        if self.num_values > (limit := max_values(self.scheme)):
            raise UsageError(
                f"bands x rows must be at most {limit:,} with signature {self.scheme}, got "
                f"{self.bands} x {self.rows}",
                *("bands", "rows", "signature"),
            )

    @property
    def num_values(self) -> int:
        """Values of a signature that the bands take."""
        return self.bands * self.rows

    def make_scheme(self) -> Scheme:
        """Return what signs documents."""
        return make_scheme(self.scheme, self.num_values)

    def hash_bands(self, signature_NP: Signature) -> NDArray[np.uint64]:
        """Return the band keys of signatures: uint64, (bands, documents)."""
        return make_keys(signature_NP, self.bands, self.rows)

    def detect(self, jaccard: float) -> float:
        """Return the chance that a pair of this Jaccard agrees in some band, and is proposed.

        Exact for permutations, whose values are independent; slots find somewhat fewer pairs at
        low Jaccard and more at high ones, by some 0.02 at most (LOG.md).

        >>> round(MinHashConfig(bands=16, rows=8).detect(0.8), 3)
        0.947
        """
        return float(1 - (1 - jaccard**self.rows) ** self.bands)

    def describe(self) -> dict[str, Any]:
        """Return the settings as a manifest names them."""
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
    "fineweb": MinHashConfig(0.75, 14, 8, scheme="affine64"),
    # Cerebras modelzoo, slimpajama/dedup: 13 characters, 128 permutations
    "slimpajama": MinHashConfig(0.8, 9, 13, Shingling("letters", 13)),
    # NeMo Curator, stages/deduplication/fuzzy: 24 characters
    "nemo": MinHashConfig(0.8, 20, 13, Shingling("characters", 24)),
    # RefinedWeb (arXiv 2306.01116), appendix G: 9,000 hashes in 450 bands
    "refinedweb": MinHashConfig(0.8, 450, 20),
    # datasketch's MinHashLSH(threshold, num_perm=128): bands and rows follow from the threshold
    "datasketch": MinHashConfig(),
}


def choose_config(
    preset: str | None = None,
    *,
    threshold: float | None = None,
    bands: int | None = None,
    rows: int | None = None,
    shingle: str | None = None,
    signature: SchemeName | None = None,
) -> MinHashConfig:
    """Return a preset, or the default, with what else is named in place of its values.

    Args:
        preset: One of `PRESETS`.
        threshold: Smallest Jaccard of a near duplicate, in (0, 1].
        bands: Of a signature.
        rows: Values in a band.
        shingle: Unit and length, as "words:5".
        signature: What signs: "affine32", "affine64" or "slots".

    Raises:
        UsageError: The preset or the shingle is unknown, or a value is out of range.
    """
    if preset is not None and preset not in PRESETS:
        raise UsageError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}", "preset")
    config = PRESETS[preset] if preset else MinHashConfig()
    named = {
        "threshold": threshold,
        "scheme": signature,
        "shingling": None if shingle is None else read_shingling(shingle),
        "bands": bands,
        "rows": rows,
    }
    changes: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    if preset == "datasketch" and 0 < changes.get("threshold", config.threshold) <= 1:
        changes = _ask_datasketch(changes.get("threshold", config.threshold)) | changes
    config = replace(config, **changes)
    config.check()
    return config


def read_shingling(text: str) -> Shingling:
    """Read "UNIT:LENGTH". Raises UsageError where it is no shingle."""
    unit, _, length = text.partition(":")
    if unit not in UNITS or not (length.isascii() and length.isdigit() and 1 <= int(length) <= 999):
        raise UsageError(
            f"shingle must be UNIT:LENGTH, the unit one of {', '.join(UNITS)}, got {text!r}",
            "shingle",
        )
    return Shingling(unit, int(length))


def _ask_datasketch(threshold: float) -> dict[str, int]:
    """Return the bands and rows that datasketch chooses for 128 values."""
    from datasketch import MinHashLSH  # brings scipy: 0.5 s

    try:
        index = MinHashLSH(threshold=threshold, num_perm=128)
    except ValueError as error:
        raise UsageError(
            f"datasketch has no bands for threshold {threshold:g}: {error}", "threshold"
        ) from error
    return {"bands": int(index.b), "rows": int(index.r)}
