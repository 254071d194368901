"""What an audit says of its own recall, beside the truth: intervals, false alarms, alarms due.

nice python -m bench.recall_intervals [--corpora 200] [--right 200] [--broken 1]

Intervals: corpora of clusters of 2 to 50 texts (`bench.made_clusters`), the finding *near_recall*
of each beside an exhaustive search. Right audits: texts that share two thirds of their words in
turn with made clusters, the schemes in turn. Broken audits: the ways of `bench.broken_bands`.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assay.audit.auditors.detection import strays
from assay.audit.minhash.sign import SchemeName
from assay.audit.run import audit_shards
from assay.formats.audit import Audit
from assay.formats.findings import Finding
from bench.broken_bands import WAYS, broken
from bench.checks import Check, report_checks
from bench.made_clusters import KINDS, find_near_pairs, make_clusters, make_sharing

SCHEMES: tuple[SchemeName, ...] = ("affine32", "affine64", "slots")
SMALLEST_COVERAGE = 0.93


@dataclass(frozen=True, slots=True)
class Interval:
    """One corpus: near pairs there and found by the audit, and the finding's interval."""

    there: int
    found: int
    value: float | None
    low: float
    high: float

    @property
    def holds(self) -> bool:
        """Whether the interval holds the share found."""
        return self.low <= self.found / self.there <= self.high


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found, and what was asked for; 1 if it is not kept."""
    parser = argparse.ArgumentParser(prog="bench.recall_intervals", description=__doc__)
    parser.add_argument("--corpora", type=int, default=200)
    parser.add_argument("--right", type=int, default=200)
    parser.add_argument("--broken", type=int, default=1, help="audits a way")
    options = parser.parse_args(arguments)
    checks = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if options.corpora:
            checks.append(_check_intervals(options.corpora, work))
        if options.right:
            alarms = sum(alarm_of(judge_right(seed, work)) != "" for seed in range(options.right))
            checks.append(Check("false alarms", float(alarms), 0, at_least=False))
        if options.broken:
            checks.append(_check_broken(options.broken, work))
    return report_checks(checks)


def _check_intervals(number: int, work: Path) -> Check:
    for kind in KINDS:
        _show(kind, [measure_interval(seed, work, (kind,)) for seed in range(number // 8)])
    mixed = [measure_interval(1000 + seed, work, KINDS) for seed in range(number)]
    _show("all", mixed)
    told = [each for each in mixed if each.value is not None]
    held = sum(each.holds for each in told) / len(told)
    return Check("intervals that hold the truth", held, SMALLEST_COVERAGE)


def _show(name: str, intervals: Sequence[Interval]) -> None:
    told = [each for each in intervals if each.value is not None]
    below = sum(each.found / each.there < each.low for each in told)
    above = sum(each.found / each.there > each.high for each in told)
    widths = sorted(each.high - each.low for each in told)
    pairs = sorted(each.there for each in told)
    print(
        f"{name:<10}{len(told)} of {len(intervals)} told; truth below {below}, above {above}; "
        f"width {widths[len(told) // 2]:.4f} (median), pairs {pairs[len(told) // 2]:,} (median)"
    )


def _check_broken(number: int, work: Path) -> Check:
    seen: Counter[str] = Counter()
    for way in WAYS:
        alarms = [alarm_of(judge_broken(way, seed, work)) for seed in range(number)]
        seen[way] = sum(alarm != "" for alarm in alarms)
        print(f"{way:<60}{seen[way]} of {number}  {', '.join(sorted(set(alarms)))}")
    return Check(
        "broken audits without alarm", number * len(WAYS) - seen.total(), 0, at_least=False
    )


def measure_interval(seed: int, work: Path, kinds: Sequence[str], **changes: Any) -> Interval:
    """Audit a made corpus, and compare what is found with all that is there."""
    texts = make_clusters(seed, kinds)
    audit = audit_texts(texts, work, **changes)
    there = find_near_pairs(texts, audit.totals.lsh.threshold)
    near = audit.read("pairs").filter(kind="near")
    rows = near.filter(near["jaccard"] < 1).select("row_a", "row_b").iter_rows()
    finding = find_recall(audit)
    low, high = finding.interval or (0.0, 1.0)
    return Interval(len(there), len(there & set(rows)), finding.value, low, high)


def judge_right(seed: int, work: Path) -> Audit:
    """Audit a corpus with sound bands: every second one of texts that share two thirds."""
    texts = make_sharing(seed, 60 + seed) if seed % 2 else make_clusters(seed)
    return audit_texts(texts, work, signature=SCHEMES[seed % 3])


def judge_broken(way: str, seed: int, work: Path) -> Audit:
    """Audit 150 texts that share two thirds of their words with bands broken in some way."""
    with broken(way):
        return audit_texts(make_sharing(seed, 150), work)


def alarm_of(audit: Audit) -> str:
    """Return which check raised the alarm: *keys*, *planted*, both, or neither ("")."""
    if find_recall(audit).level != "high":
        return ""
    lsh = audit.totals.lsh
    planted = any(strays(row) for row in lsh.planted)
    return " and ".join(["keys"] * (lsh.planted_unlike > 0) + ["planted"] * planted)


def find_recall(audit: Audit) -> Finding:
    """Return what an audit finds of its own recall."""
    return next(finding for finding in audit.read_findings() if finding.name == "near_recall")


def audit_texts(texts: Sequence[str], work: Path, **changes: Any) -> Audit:
    """Audit texts in a folder of their own."""
    folder = Path(tempfile.mkdtemp(dir=work))
    pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), folder / "made.parquet")
    return audit_shards([folder / "made.parquet"], folder / "audit", threads=1, **changes)


if __name__ == "__main__":
    raise SystemExit(main())
