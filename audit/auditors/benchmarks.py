"""Items of benchmarks that stand in train."""

from collections.abc import Iterator

from msgspec import UNSET

from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import share
from assay.terminal.text import show_line

BENCHMARKS = FindingKind(
    name="benchmarks",
    measures="items of benchmarks that share an n-gram with train, of their question where they "
    "have one",
    of="measured items",
    limits=(0.0, 0.01, 0.1),
    unmeasured="no benchmarks were named (`--benchmarks`); or all their items are shorter than an "
    "n-gram",
    evidence="benchmarks.parquet",
)


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the share of items that stand in train, where any were measured."""
    found = totals.benchmarks
    if found is UNSET:
        yield BENCHMARKS.skip("no benchmarks were named", action="name them with --benchmarks")
        return
    unit, _, length = found.ngram.partition(":")
    total = found.total
    short = f"{share(total.items - total.measured, total.items)} of items have no {length} {unit}"
    if total.interval is UNSET:
        yield BENCHMARKS.skip(short, action="look for shorter runs, with --benchmark-ngram words:8")
        return
    worst = max(found.suites, key=lambda each: each.contaminated / max(1, each.measured))
    name = f"; most in {show_line(worst.suite, 80)}: {share(worst.contaminated, worst.measured)}"
    low, high = (100 * end for end in total.interval)
    yield BENCHMARKS.find(
        total.contaminated / total.measured,
        f"{share(total.contaminated, total.measured)} of measured items share {length} {unit} in a "
        f"row with train (95% interval {low:.2f} to {high:.2f}%)"
        + (name if worst.contaminated and len(found.suites) > 1 else "")
        + (f"; {short} to look for: not measured" if total.measured < total.items else ""),
        interval=total.interval,
        action="leave these training documents out, or these items out of the score",
    )
