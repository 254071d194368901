"""How true signatures, detection and recall are, on real documents with planted edits.

python -m bench.accuracy [--signer affine32] [--pairs 5000] [--seeds 8] [--no-recall]

Estimator: the share of equal values of two signatures against the Jaccard of the sets; theory
says no bias and a variance of J(1 - J)/128. Detection: the share of pairs that agree in all 8 rows
of some of 16 bands against 1 - (1 - J^8)^16; a standard error is that of as many independent
pairs. Of ten points, chance alone leaves all within two standard errors in six runs of ten.
Recall: what `assay audit`, as it comes, names of the pairs with 0.8 <= J < 1 of the gold sets and
of as many edited pairs as asked for.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from assay.audit.minhash.lsh_config import MinHashConfig
from bench.checks import Check, report_checks
from bench.corpus import build_corpus
from bench.edited_pairs import EditedPairs, edit_near_pairs, edit_pairs, read_texts
from bench.gold import Found, audit_gold, audit_pairs
from bench.machine import WORK, find_corpora
from bench.signers import SIGNERS, Signer, find_signer

BANDS, ROWS = 16, 8
WISHED = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
HALF = 0.025  # of a point of the curve's width
CORPUS_MB = 50
MOST_BIAS = 0.002
MOST_ERRORS = 2
SMALLEST_RECALL = 0.99


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the detection curve: pairs about one Jaccard, over all seeds.

    `expected` is the mean of the formula over those pairs, `error` a standard error of as many.
    """

    jaccard: float
    num_pairs: int
    measured: float
    expected: float
    error: float

    @property
    def num_errors(self) -> float:
        """How many standard errors the measured share is off."""
        return abs(self.measured - self.expected) / self.error if self.error else 0.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """Errors of the estimated Jaccard: mean, its standard error, root mean square, and theory's."""

    bias: float
    bias_error: float
    rmse: float
    theory: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(prog="bench.accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("--signer", default="affine32", help=f"{','.join(SIGNERS)} or module:name")
    parser.add_argument("--pairs", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--no-recall", action="store_true", help="signatures and bands alone")
    parser.add_argument("--work", type=Path, default=WORK)
    options = parser.parse_args(arguments)
    corpora, work = find_corpora(), options.work.resolve()
    corpus = build_corpus(corpora, work / f"corpus-{CORPUS_MB}", megabytes=CORPUS_MB)
    shards = sorted(corpus.shards.glob("*.parquet"))
    pairs = edit_pairs(read_texts(shards, options.pairs), WISHED)
    same_NP = compare_values(pairs, find_signer(options.signer), options.seeds)
    checks = _report_estimate(options.signer, same_NP, pairs.jaccard_P)
    checks += _report_curve(measure_curve(same_NP, pairs.jaccard_P))
    if not options.no_recall:
        with TemporaryDirectory(dir=work) as folder:
            found = audit_gold(corpora, Path(folder))
            found.append(audit_pairs(edit_near_pairs(shards, options.pairs), Path(folder)))
        checks += _report_recall(found)
    return report_checks(checks)


def compare_values(pairs: EditedPairs, signer: Signer, seeds: int) -> NDArray[np.bool_]:
    """Say which values of two signatures are equal: bool, shape (seeds * pairs, values)."""
    same = []
    for seed in range(1, seeds + 1):
        signature = signer(seed)(pairs.data, pairs.offsets)
        same.append(signature[: pairs.num_pairs] == signature[pairs.num_pairs :])
    return np.concatenate(same)


def estimate_errors(
    same_NP: NDArray[np.bool_], jaccard_P: NDArray[np.float64], smallest: float = 0.0
) -> Estimate:
    """Return the estimator's errors over pairs of at least the `smallest` Jaccard, below 1."""
    true_N = np.tile(jaccard_P, len(same_NP) // len(jaccard_P))
    chosen = (true_N >= smallest) & (true_N < 1)
    error = same_NP.mean(axis=1)[chosen] - true_N[chosen]
    variance = true_N[chosen] * (1 - true_N[chosen]) / same_NP.shape[1]
    rmse = float(np.sqrt(np.mean(error**2)))
    return Estimate(
        float(error.mean()), rmse / error.size**0.5, rmse, float(np.sqrt(variance.mean()))
    )


def measure_curve(same_NP: NDArray[np.bool_], jaccard_P: NDArray[np.float64]) -> list[Point]:
    """Return the detection curve at the Jaccards of `WISHED`."""
    true_N = np.tile(jaccard_P, len(same_NP) // len(jaccard_P))
    banded = same_NP[:, : BANDS * ROWS].reshape(len(same_NP), BANDS, ROWS)
    found_N = np.asarray(np.any(np.all(banded, axis=2), axis=1))
    points = []
    for wished in WISHED:
        chosen = np.flatnonzero((np.abs(true_N - wished) <= HALF) & (true_N < 1))
        config = MinHashConfig(bands=BANDS, rows=ROWS)
        stated = np.array([config.detect(value) for value in true_N[chosen].tolist()])
        error = float(np.sqrt(np.sum(stated * (1 - stated)))) / max(chosen.size, 1)
        measured = float(found_N[chosen].mean())
        points.append(Point(wished, chosen.size, measured, float(stated.mean()), error))
    return points


def _report_estimate(
    name: str, same_NP: NDArray[np.bool_], jaccard_P: NDArray[np.float64]
) -> list[Check]:
    checks = []
    print(f"{name}, {same_NP.shape[1]} values, {len(same_NP):,} estimates")
    for smallest in (0.0, 0.8):
        found = estimate_errors(same_NP, jaccard_P, smallest)
        print(
            f"J >= {smallest:.1f}: bias {found.bias:+.5f} +- {found.bias_error:.5f}, "
            f"rmse {found.rmse:.5f}, theory {found.theory:.5f}"
        )
        what = f"bias of the estimator, J >= {smallest:.1f}"
        checks.append(Check(what, abs(found.bias), MOST_BIAS, at_least=False))
    return checks


def _report_curve(points: Sequence[Point]) -> list[Check]:
    print(f"{'J':>6}{'pairs':>9}{'found':>9}{'stated':>9}{'error':>9}{'off by':>8}")
    for point in points:
        print(
            f"{point.jaccard:>6.2f}{point.num_pairs:>9,}{point.measured:>9.4f}"
            f"{point.expected:>9.4f}{point.error:>9.4f}{point.num_errors:>8.2f}"
        )
    worst = max(point.num_errors for point in points)
    return [Check("detection, standard errors off", worst, MOST_ERRORS, at_least=False)]


def _report_recall(found: Sequence[Found]) -> list[Check]:
    for each in found:
        missed = ", ".join(f"{jaccard:.4f}" for jaccard in sorted(each.missed)[:8])
        print(
            f"{each.name:<18}{each.num_found:>7,} of {each.num_pairs:>6,} pairs with 0.8 <= J < 1"
            + (f"; missed J {missed}" if missed else "")
        )
    gold, planted = found[:-1], found[-1]
    pairs = sum(each.num_pairs for each in gold)
    share = sum(each.num_found for each in gold) / max(pairs, 1)
    return [
        Check("recall on the gold sets", share, SMALLEST_RECALL),
        Check("recall on edited pairs", planted.recall, SMALLEST_RECALL),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
