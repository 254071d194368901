"""What `assay audit` prints before its findings: documents and tokens, benchmarks, the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.terminal.numbers import count, share
from assay.terminal.text import align, show_line, wrap

if TYPE_CHECKING:
    from assay.formats.audit_totals import AuditTotals, BudgetTotals
    from assay.formats.leak_totals import BenchmarkTotals, SuiteTotals


def describe_totals(totals: AuditTotals) -> str:
    """Say how much there is: a line a shard, and all of them together."""
    shards = totals.shards
    rows = [
        (shard.split, "not told" if shard.undivided else count(shard.documents), shard.tokens,
         shard.name)
        for shard in shards
    ]  # fmt: skip
    if len(shards) > 1:
        told = "not told" if totals.undivided else count(totals.documents)
        rows.append(("all", told, totals.tokens, f"{len(shards)} shards"))
    head = ("", "documents", "tokens", "")
    cells = [head] + [(a, b, count(c), show_line(d)) for a, b, c, d in rows]
    wide = [max(len(cell[i]) for cell in cells) for i in (1, 2)]
    return align([(a, b.rjust(wide[0]), c.rjust(wide[1]), d) for a, b, c, d in cells]) + "\n"


def describe_benchmarks(benchmarks: BenchmarkTotals) -> str:
    """Say how many items of each suite stand in train; suites alike up to a / are one row."""
    from assay.audit.leaks.contamination import estimate_share  # where there are some

    groups: dict[str, list[SuiteTotals]] = {}
    for suite in benchmarks.suites:
        groups.setdefault(suite.suite.partition("/")[0], []).append(suite)
    cells = [(f"{benchmarks.ngram} in train", "share of measured", "95% interval", "not measured")]
    for name, suites in [*groups.items(), ("all", [benchmarks.total])]:
        items, measured, contaminated = (
            sum(getattr(suite, field) for suite in suites)
            for field in ("items", "measured", "contaminated")
        )
        low, high = estimate_share(contaminated, measured) if measured else (0.0, 1.0)
        cells.append(
            (
                show_line(name, 80) + (f" ({len(suites)} suites)" if len(suites) > 1 else ""),
                share(contaminated, measured) if measured else "not measured",
                f"{100 * low:.2f} to {100 * high:.2f}%" if measured else "",
                count(items - measured),
            )
        )
    return align(cells) + "\n"


def describe_budget(budget: BudgetTotals, width: int | None = None) -> str:
    """Lay out the budget of an audit; `width` is a terminal's, None: a line each."""
    lines = [align(budget.rows)]
    if claimed := budget.claimed:
        lines.append(
            f"{claimed.label!r} claims {claimed.parameters / 1e6:g}M parameters; its "
            f"settings make {budget.parameters / 1e6:.2f}M"
        )
    lines += [f"- {caveat}" for caveat in budget.caveats]
    lines += budget.notes
    if width is not None:
        lines = [lines[0], *("\n  ".join(wrap(line, width - 2)) for line in lines[1:])]
    return "\n".join(lines) + "\n"
