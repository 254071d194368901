"""What coupled and independent pairs of runs found: are coupled arms unbiased, and how calm?

    python -m bench.coupling.report OUT... --json FILE
    python -m bench.coupling.report FILE

OUT is what `bench.coupling.run` wrote in each call. FILE is the small file of all runs, which gives
the same lines again.
"""

import argparse
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import f as fisher

from assay.laws.student_t import quantile

BOUND, RATIOS, FEWEST = 0.005, (0.7, 1.45), 60  # what is asked of the two modes
_KEPT = ("key", "coupled", "arm", "pair", "share", "seed", "loss", "tokens_per_second", "seconds")


@dataclass(frozen=True, slots=True)
class Pairs:
    """The losses of pairs of one kind, by arm, in one order of pairs."""

    losses: tuple[list[float], list[float]]

    @property
    def differences(self) -> list[float]:
        """Second arm minus first, of each pair."""
        return [two - one for one, two in zip(*self.losses, strict=True)]

    @property
    def mean(self) -> float:
        """Their mean."""
        return statistics.fmean(self.differences)

    @property
    def deviation(self) -> float:
        """Their standard deviation."""
        return statistics.stdev(self.differences)


def read_runs(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Read the runs of some calls, or of the small file; a line that was cut off is no run.

    Raises:
        ValueError: A run is there twice.
    """
    runs: list[dict[str, Any]] = []
    for path in paths:
        if path.is_file():
            runs += json.loads(path.read_text())["runs"]
        for file in sorted(path.glob("runs-*.jsonl")):
            lines = file.read_text().splitlines(keepends=True)
            runs += [json.loads(line) for line in lines if line.endswith("\n")]
    if len({run["key"] for run in runs}) < len(runs):
        raise ValueError("a run is there twice")
    return runs


def find_pairs(runs: Sequence[dict[str, Any]], coupled: bool, share: float | None = None) -> Pairs:
    """Return the pairs of a kind of which both runs are there."""
    arms: tuple[dict[int, float], dict[int, float]] = {}, {}
    for run in runs:
        if (run["coupled"], run["share"]) == (coupled, share):
            arms[run["arm"]][run["pair"]] = run["loss"]
    both = sorted(arms[0].keys() & arms[1].keys())
    return Pairs(([arms[0][pair] for pair in both], [arms[1][pair] for pair in both]))


def compare_means(one: Pairs, two: Pairs, level: float = 0.9) -> tuple[float, float, float, float]:
    """Return the difference of two mean differences, its standard error, its interval (Welch)."""
    parts = [each.deviation**2 / len(each.differences) for each in (one, two)]
    error = math.sqrt(sum(parts))
    degrees = sum(parts) ** 2 / sum(
        part**2 / (len(each.differences) - 1) for part, each in zip(parts, (one, two), strict=True)
    )
    difference = one.mean - two.mean
    reach = quantile((1 + level) / 2, degrees) * error
    return difference, error, difference - reach, difference + reach


def compare_deviations(one: Sequence[float], two: Sequence[float]) -> tuple[float, float, float]:
    """Return the ratio of two standard deviations, and its 90% interval by F."""
    ratio = statistics.stdev(one) / statistics.stdev(two)
    low, high = (fisher.ppf(chance, len(one) - 1, len(two) - 1) for chance in (0.95, 0.05))
    return ratio, float(ratio / math.sqrt(low)), float(ratio / math.sqrt(high))


def tell(runs: Sequence[dict[str, Any]]) -> str:
    """Return what was found, line by line."""
    coupled, independent = find_pairs(runs, True), find_pairs(runs, False)
    lines = []
    for name, each in (("coupled", coupled), ("independent", independent)):
        lines.append(
            f"{name}: {len(each.differences)} pairs, mean difference {each.mean:+.5f}, "
            f"standard deviation of a pair {each.deviation:.5f}"
        )
    difference, error, low, high = compare_means(coupled, independent)
    few = min(len(coupled.differences), len(independent.differences)) < FEWEST
    within = not few and low >= -BOUND and high <= BOUND
    state = "within" if within else "too few pairs" if few else "not within"
    lines.append(
        f"coupled minus independent: {difference:+.5f}, standard error {error:.5f}, 90% interval "
        f"{low:+.5f} to {high:+.5f}: {state} (±{BOUND})"
    )
    for arm in (0, 1):
        one, two = coupled.losses[arm], independent.losses[arm]
        ratio, *reach = compare_deviations(one, two)
        state = "within" if RATIOS[0] <= ratio <= RATIOS[1] else "not within"
        lines.append(
            f"arm {arm}: mean {statistics.fmean(one):.5f}, {statistics.fmean(two):.5f}; standard "
            f"deviation {statistics.stdev(one):.5f}, {statistics.stdev(two):.5f}; ratio "
            f"{ratio:.3f} ({reach[0]:.3f} to {reach[1]:.3f}): {state} ({RATIOS[0]} to {RATIOS[1]})"
        )
    calmer, *reach = compare_deviations(independent.differences, coupled.differences)
    correlation = statistics.correlation(*coupled.losses)
    lines.append(
        f"an independent pair's standard deviation over a coupled one's: {calmer:.2f} "
        f"({reach[0]:.2f} to {reach[1]:.2f}); correlation of coupled arms {correlation:.2f}, of "
        f"independent ones {statistics.correlation(*independent.losses):.2f}"
    )
    speed = statistics.median(run["tokens_per_second"] for run in runs)
    seconds = statistics.median(run["seconds"] for run in runs)
    lines.append(f"{len(runs)} runs; medians of a run: {seconds:.2f} s, {speed:,.0f} tokens/s")
    return "\n".join(lines)


def main() -> None:
    """Print what was found, and write the small file if asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    runs = read_runs(asked.paths)
    print(tell(runs))
    if asked.json:
        rows = [json.dumps({key: run[key] for key in _KEPT}) for run in runs]
        facts = {key: runs[0][key] for key in ("card", "torch")}
        head = json.dumps(facts)[1:-1]
        asked.json.write_text("{" + head + ',\n"runs": [\n' + ",\n".join(rows) + "\n]}\n")


if __name__ == "__main__":
    main()
