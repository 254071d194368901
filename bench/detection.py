"""How often bands propose made pairs, by scheme and size of set, beside the stated chance.

python -m bench.detection [--pairs 10000] [--schemes slots]

Sets are random 64-bit shingles. Stated is the permutations' formula at the pairs' own Jaccard;
"nats" is what 256 pairs found at the measured rate would count for in an audit's own check of its
bands, which calls 9.7 a defect.
"""

import argparse
import math
from collections.abc import Sequence

import numpy as np

from assay.audit.minhash.band_keys import make_keys
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.minhash.sign import sign_sets

BANDS = ((16, 8), (4, 3), (9, 13), (32, 4))
SIZES = (20, 30, 60, 120, 250, 1000)
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
_MOST_SHINGLES = 2_500_000  # of a cell, both sides of a pair counted once


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each scheme, rule and size of set."""
    parser = argparse.ArgumentParser(prog="bench.detection", description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10_000, help="pairs a cell (default 10000)")
    parser.add_argument("--schemes", default="slots", help="some of affine32,affine64,slots")
    options = parser.parse_args(arguments)
    generator = np.random.default_rng(5)
    for scheme in options.schemes.split(","):
        for bands, rows in BANDS:
            rule = MinHashConfig(0.8, bands, rows, scheme=scheme)
            for size in SIZES:
                pairs = min(options.pairs, _MOST_SHINGLES // size)
                cells = [show_cell(rule, size, level, pairs, generator) for level in LEVELS]
                print(f"{scheme} {bands} x {rows}, {size:>4} shingles  " + "  ".join(cells))
    return 0


def show_cell(
    rule: MinHashConfig, size: int, level: float, pairs: int, generator: np.random.Generator
) -> str:
    """Measure one cell: Jaccard, share found, share stated, nats in 256 pairs."""
    replaced = round(size * (1 - level) / (1 + level))
    jaccard = (size - replaced) / (size + replaced)
    found = find_share(rule, size, replaced, pairs, generator)
    stated = rule.detect(jaccard)
    return f"{jaccard:.3f}: {found:.4f} ({stated:.4f}; {256 * diverge(found, stated):.2f} nats)"


def find_share(
    rule: MinHashConfig, size: int, replaced: int, pairs: int, generator: np.random.Generator
) -> float:
    """Return the share that the bands propose of pairs of sets which share all but `replaced`."""
    drawn = generator.integers(1, 2**64, (pairs, size + replaced), np.uint64)
    both = np.concatenate([drawn[:, :size], drawn[:, replaced:]], axis=1).ravel()
    ends = np.arange(2 * pairs + 1) * size
    key_BN = make_keys(sign_sets(both, ends, rule.make_scheme()), rule.bands, rule.rows)
    key_BP2 = key_BN.reshape(rule.bands, pairs, 2)
    return float(np.any(key_BP2[:, :, 0] == key_BP2[:, :, 1], axis=0).mean())


def diverge(found: float, stated: float) -> float:
    """Return the divergence of a share found from a share stated, in nats.

    >>> round(diverge(0.5, 0.5), 3), round(diverge(1.0, 0.5), 3)
    (0.0, 0.693)
    """
    sides = ((found, stated), (1 - found, 1 - stated))
    return sum(seen * math.log(seen / told) for seen, told in sides if seen > 0)


if __name__ == "__main__":
    raise SystemExit(main())
