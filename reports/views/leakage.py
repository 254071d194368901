"""The section of an audit on leakage: validation documents in train, and where they stand there."""

from collections.abc import Iterator
from typing import Any

from msgspec import UNSET

from assay.formats.audit import COPIED_WORDS
from assay.formats.leak_totals import Leaks, SpanTotals
from assay.reports.page.number_format import percent
from assay.reports.page.page import Block, Note, Section, Table
from assay.reports.sources.samples import Samples
from assay.reports.sources.sources import AuditContent, Source
from assay.reports.views.duplicates import make_pair
from assay.reports.views.untold import skip_untold
from assay.terminal.numbers import count
from assay.terminal.text import show_line

MAX_LEAKS = 8


def view_leakage(source: Source[AuditContent], samples: Samples | None, *, raw: bool) -> Section:
    """Show validation documents with a copy in train, and the copies."""
    if untold := skip_untold("leakage", "Leakage", source.content.totals):
        return untold
    leaks = source.content.totals.leaks
    if not leaks.val_documents:
        note = Note("Name validation shards with --val, or hold documents out with assay prepare.")
        lead = "Not measured: no validation documents were given."
        return Section("leakage", "Leakage", lead, (note,))
    leaked = leaks.leaked
    lead = (
        f"{count(leaked)} of {count(leaks.val_documents)} validation documents "
        f"({percent(leaked, leaks.val_documents)}) {_say_leaked(leaks)}."
    )
    return Section("leakage", "Leakage", lead, tuple(_show_leaks(source.content, samples, raw=raw)))


def _say_leaked(leaks: Leaks) -> str:
    return "have a copy in train" if leaks.spans is UNSET else "stand in train, whole or in part"


def _describe_spans(spans: SpanTotals) -> str:
    """Say what n-grams were looked for, and what did not count."""
    unit, _, length = show_line(spans.ngram, 40).partition(":")
    return (
        f"Contained: half of a document's runs of {length} {unit} stand in train; copied: "
        f"{COPIED_WORDS} {unit} in a row do. {count(spans.spans)} more validation documents share "
        f"less than that (spans.parquet), {count(spans.too_short)} are shorter than {length} "
        f"{unit}. {count(spans.boilerplate_ngrams)} of {count(spans.ngrams)} runs stand in over "
        f"{count(spans.boilerplate_clusters)} clusters of train each: boilerplate, not counted."
    )


def _name_leak(row: dict[str, Any]) -> str:
    tier = show_line(row["tier"], 20)
    if row["jaccard"] is not None:
        return f"{tier}, Jaccard {row['jaccard']:.4f}"
    return f"{tier}, coverage {row['coverage']:.4f}, {count(row['words'])} words in a row"


def _show_leaks(content: AuditContent, samples: Samples | None, *, raw: bool) -> Iterator[Block]:
    leaks = content.totals.leaks
    rows = tuple(
        (name, count(number), percent(number, leaks.val_documents))
        for name, number in leaks.tiers.items()
    )
    yield Table(("tier", "val documents", "share of val documents"), rows, frozenset({1, 2}))
    if leaks.spans is not UNSET:
        yield Note(_describe_spans(leaks.spans))
    table = content.audit.read("leaks").sort(["jaccard", "val_shard", "val_row"])
    if table.height > MAX_LEAKS:
        yield Note(
            f"{MAX_LEAKS} of {count(table.height)} are shown, those in part and the near ones "
            "first; leaks.parquet has all."
        )
    for row in table.head(MAX_LEAKS).iter_rows(named=True):
        yield make_pair(
            _name_leak(row),
            (row["val_id"], row["val_shard"], row["val_row"]),
            (row["train_id"], row["train_shard"], row["train_row"]),
            samples,
            raw=raw,
            sides=("val: ", "train: "),
        )
