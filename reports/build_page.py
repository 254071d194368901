"""Put a page together from folders: banners, sections in reading order, commands, facts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import assay
from assay.reports.page.page import Banner, Page, Section
from assay.reports.rerun_commands import list_commands
from assay.reports.sources.samples import Samples
from assay.reports.sources.sources import AuditContent, Source, Sources, open_sources
from assay.reports.views.audit import head_audit, view_findings, view_shards
from assay.reports.views.bins import view_bins
from assay.reports.views.comparison import head_comparison, view_comparison
from assay.reports.views.diagnosis import head_diagnosis, view_diagnosis
from assay.reports.views.duplicates import view_duplicates
from assay.reports.views.leakage import view_leakage
from assay.reports.views.lengths import view_lengths
from assay.reports.views.origin import count_inputs, gather_facts, view_origin
from assay.reports.views.probe import head_probe, view_probe
from assay.reports.views.run import view_run


def build_page(folders: Sequence[Path], *, samples: bool = True, raw: bool = False) -> Page:
    """Read folders of any kinds, in any order, and make the page of them.

    Args:
        folders: Sealed folders of audits, bins, runs, comparisons, probes and diagnoses.
        samples: Whether to show beginnings of texts.
        raw: Show them, and ids, as they are; otherwise what looks like personal data is hidden.

    Raises:
        UsageError: There is none, one is named twice, or one is of an unknown kind.
        InputError: One cannot be read.
        IntegrityError: A file's size is not its manifest's.
    """
    sources = open_sources(folders)
    return Page(
        title=", ".join(f"{source.manifest.kind} {source.name}" for source in sources),
        source=count_inputs(sources),
        made_by=f"assay {assay.__version__}",
        banners=tuple(_head_all(sources)),
        sections=tuple(_view_all(sources, samples, raw)),
        commands=tuple(list_commands(sources)),
        raw=raw,
        facts=gather_facts(sources),
    )


def _head_all(sources: Sources) -> Iterator[Banner]:
    """Verdicts first: what was tested weighs more than what was counted."""
    for compared in sources.comparisons:
        yield from head_comparison(compared)
    yield from map(head_probe, sources.probes)
    yield from map(head_diagnosis, sources.diagnoses)
    yield from map(head_audit, sources.audits)


def _view_all(sources: Sources, samples: bool, raw: bool) -> Iterator[Section]:
    yield from map(view_diagnosis, sources.diagnoses, count())
    if sources.audits:
        yield view_findings(sources.audits)
    for number, audited in enumerate(sources.audits):
        for section in _view_audit(audited, samples, raw):
            if len(sources.audits) == 1:
                yield section
            else:
                title = f"{section.title}: {audited.name}"
                yield replace(section, anchor=f"{section.anchor}-{number}", title=title)
    yield from map(view_bins, sources.bins, count())
    yield from map(view_run, sources.runs, count())
    yield from map(view_comparison, sources.comparisons, count())
    yield from map(view_probe, sources.probes, count())
    yield view_origin(sources)


def _view_audit(source: Source[AuditContent], samples: bool, raw: bool) -> Iterator[Section]:
    shown = Samples(source.content.audit, raw=raw) if samples else None
    yield view_shards(source)
    yield view_lengths(source)
    yield view_duplicates(source, shown, raw=raw)
    yield view_leakage(source, shown, raw=raw)
