"""The options that say when two texts are near duplicates, and how pairs of them are proposed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from assay.audit.minhash.config import MinHashConfig
    from assay.audit.minhash.sign import SchemeName

_OPTIONS = (
    click.option(
        "--preset",
        metavar="NAME",
        help="Find near duplicates as others do: fineweb, slimpajama, nemo, refinedweb, "
        "datasketch.",
    ),
    click.option(
        "--threshold",
        type=float,
        help="Jaccard of shingles from which on two texts are near duplicates.  [default: 0.8]",
    ),
    click.option("--bands", type=click.IntRange(1), help="Bands of a signature.  [default: 16]"),
    click.option("--rows", type=click.IntRange(1), help="Values in a band.  [default: 8]"),
    click.option(
        "--shingle",
        metavar="UNIT:N",
        help="N words, letters or characters in a row.  [default: words:5]",
    ),
    click.option(
        "--signature",
        "scheme",
        type=click.Choice(["affine32", "affine64", "slots"]),
        help="Permutations of 32 or 64 bits (datasketch's), or Fast Similarity Sketching.  "
        "[default: affine32]",
    ),
)


@dataclass(frozen=True, slots=True)
class AskedRule:
    """What was asked of the rule; None where the preset, or the default, decides."""

    preset: str | None
    threshold: float | None
    bands: int | None
    rows: int | None
    shingle: str | None
    scheme: SchemeName | None

    def choose(self) -> MinHashConfig:
        """Return the rule. Raises UsageError as `assay.audit.minhash.config.choose_config` does."""
        from assay.audit.minhash.config import choose_config  # brings numba: 0.2 s

        return choose_config(
            self.preset,
            threshold=self.threshold,
            bands=self.bands,
            rows=self.rows,
            shingle=self.shingle,
            signature=self.scheme,
        )


def rule_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the rule's options; it is called with all of them as one `asked`."""

    @functools.wraps(command)
    def gather(
        *args: Any,
        preset: str | None,
        threshold: float | None,
        bands: int | None,
        rows: int | None,
        shingle: str | None,
        scheme: SchemeName | None,
        **others: Any,
    ) -> None:
        asked = AskedRule(preset, threshold, bands, rows, shingle, scheme)
        command(*args, asked=asked, **others)

    gathered: Callable[..., None] = gather
    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered
