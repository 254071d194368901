"""Put a page together from folders: banners, sections in reading order, commands, facts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import assay
from assay.formats.diagnosis import read_diagnosis
from assay.formats.probe import read_probe
from assay.reports.page.page import Banner, Page, Section
from assay.reports.rerun_commands import list_commands
from assay.reports.sources.samples import Samples
from assay.reports.sources.sources import AuditSource, Sources, open_sources
from assay.reports.views.audit import view_findings, view_lengths, view_shards
from assay.reports.views.bins import view_bins
from assay.reports.views.comparison import judge_comparison, view_comparison, view_run
from assay.reports.views.diagnosis import judge_diagnosis, view_diagnosis
from assay.reports.views.duplicates import view_duplicates, view_leakage
from assay.reports.views.header import (
    count_inputs,
    gather_facts,
    judge_audit,
    name_folder,
    name_page,
    view_origin,
)
from assay.reports.views.probe import judge_probe, view_probe


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
        title=name_page(sources),
        source=count_inputs(sources),
        made_by=f"assay {assay.__version__}",
        banners=tuple(_judge_all(sources)),
        sections=tuple(_view_all(sources, samples, raw)),
        commands=tuple(list_commands(sources)),
        raw=raw,
        facts=gather_facts(sources),
    )


def _judge_all(sources: Sources) -> Iterator[Banner]:
    """Verdicts first: what was tested weighs more than what was counted."""
    for source in sources.comparisons:
        yield from judge_comparison(source, name_folder(source.folder))
    for source in sources.probes:
        yield judge_probe(read_probe(source.folder), name_folder(source.folder))
    for source in sources.diagnoses:
        yield judge_diagnosis(read_diagnosis(source.folder), name_folder(source.folder))
    for audited in sources.audits:
        yield judge_audit(audited)


def _view_all(sources: Sources, samples: bool, raw: bool) -> Iterator[Section]:
    for number, weighed in enumerate(sources.diagnoses):
        yield view_diagnosis(read_diagnosis(weighed.folder), number, name_folder(weighed.folder))
    if sources.audits:
        yield view_findings(sources.audits)
    for number, source in enumerate(sources.audits):
        for section in _view_audit(source, samples, raw):
            if len(sources.audits) == 1:
                yield section
            else:
                title = f"{section.title}: {name_folder(source.audit.folder)}"
                yield replace(section, anchor=f"{section.anchor}-{number}", title=title)
    for number, made in enumerate(sources.bins):
        yield view_bins(made, number)
    for number, run in enumerate(sources.runs):
        yield view_run(run, number, name_folder(run.folder))
    for number, compared in enumerate(sources.comparisons):
        yield view_comparison(compared, number, name_folder(compared.folder))
    for number, probed in enumerate(sources.probes):
        yield view_probe(read_probe(probed.folder), number, name_folder(probed.folder))
    yield view_origin(sources)


def _view_audit(source: AuditSource, samples: bool, raw: bool) -> Iterator[Section]:
    shown = Samples(source.audit, raw=raw) if samples else None
    yield view_shards(source)
    yield view_lengths(source)
    yield view_duplicates(source, shown, raw=raw)
    yield view_leakage(source, shown, raw=raw)
