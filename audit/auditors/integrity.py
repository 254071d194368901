"""What was read as it was written: shards set aside, and bits that nothing vouches for."""

from collections.abc import Iterator
from pathlib import PurePath

from msgspec import UNSET

from assay.formats.audit_totals import AuditTotals
from assay.formats.findings import Finding, FindingKind
from assay.terminal.numbers import count, number_of, share
from assay.terminal.text import show_line

SET_ASIDE = FindingKind(
    name="set_aside",
    measures="shards that cannot be read; they are in no other figure",
    unit="shards",
    limits=(0.0, 0.0, 1.0),
    by_document=False,
)
INTEGRITY = FindingKind(
    name="integrity",
    measures="shards with a page whose checksum was wrong; one ends the audit, or sets the shard "
    "aside",
    unit="shards",
    limits=(0.0, 0.0, 1.0),
    unmeasured="a shard without page checksums: bins, and parquet by most writers",
    by_document=False,
)

_MAX_NAMED = 3


def judge(totals: AuditTotals) -> Iterator[Finding]:
    """Yield the number of shards set aside, and whether damaged bits would have been seen."""
    aside = len(totals.set_aside)
    shards = len(totals.shards) + aside
    yield SET_ASIDE.find(
        float(aside),
        f"{share(aside, shards)} of shards cannot be read and are in no other figure"
        if aside
        else f"{number_of(shards, 'shard')} read, none set aside",
        action="download them again, or mend them",
    )
    if totals.checksums is UNSET:
        return
    without = totals.checksums.without
    if without:
        named = ", ".join(show_line(PurePath(name).name, 100) for name in without[:_MAX_NAMED])
        more = len(without) - _MAX_NAMED
        named += f" and {count(more)} more" if more > 0 else ""
        yield INTEGRITY.skip(
            f"{count(len(without))} of {count(len(totals.shards))} shards without page checksums "
            f"({named}): a changed bit in them cannot be seen",
            action="compare their sha256, in manifest.json, with the publisher's",
        )
    else:
        yield INTEGRITY.find(0.0, "every page read has the checksum that its writer gave it")
