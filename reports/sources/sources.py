"""The folders that a report is made from: opened, checked, sorted by kind."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from assay.errors import InputError, UsageError
from assay.formats.audit import Audit
from assay.formats.audit_totals import AuditTotals
from assay.formats.bins import BinsTotals
from assay.formats.comparison import Verdict, read_verdict
from assay.formats.diagnosis import DiagnosisResult, read_diagnosis
from assay.formats.findings import LEVELS, Finding, sort_findings
from assay.formats.probe import ProbeResult, read_probe
from assay.formats.run import RunTotals
from assay.storage.manifest import Manifest, check_file, hash_manifest, read_manifest, read_totals
from assay.terminal.text import show_line

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """A sealed folder, the sha256 of its manifest, and what its kind holds."""

    folder: Path
    manifest: Manifest
    fingerprint: str
    content: T

    @property
    def name(self) -> str:
        """The folder's name as people call it: its last part, safe to show."""
        return show_line(self.folder.resolve().name or str(self.folder), 60)


@dataclass(frozen=True, slots=True)
class AuditContent:
    """An audit, its totals, and its findings, worst first."""

    audit: Audit
    totals: AuditTotals
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """All folders of a report, in reading order."""

    audits: tuple[Source[AuditContent], ...] = ()
    bins: tuple[Source[BinsTotals], ...] = ()
    runs: tuple[Source[RunTotals], ...] = ()
    comparisons: tuple[Source[Verdict], ...] = ()
    probes: tuple[Source[ProbeResult], ...] = ()
    diagnoses: tuple[Source[DiagnosisResult], ...] = ()

    def __iter__(self) -> Iterator[Source[Any]]:
        """Yield each."""
        for field in fields(self):
            yield from getattr(self, field.name)


def open_sources(folders: Iterable[Path]) -> Sources:
    """Open folders of any kinds, in any order.

    Raises:
        UsageError: There is none, one is named twice, or one is of an unknown kind.
        InputError: A manifest, its totals, its findings or its result cannot be read.
        IntegrityError: A file's size is not the manifest's.
    """
    found: dict[str, list[Source[Any]]] = {kind: [] for kind in _READERS}
    seen: dict[str, Path] = {}
    for folder in folders:
        manifest = read_manifest(folder)
        if manifest.kind not in _READERS:
            raise UsageError(
                f"{folder} holds {manifest.kind}; a report reads {', '.join(_READERS)}"
            )
        fingerprint = hash_manifest(folder)
        if fingerprint in seen:
            raise UsageError(f"{folder} is the same as {seen[fingerprint]}; name it once")
        seen[fingerprint] = folder
        for entry in manifest.outputs:
            check_file(folder, entry, hashes=False)
        found[manifest.kind].append(
            Source(folder, manifest, fingerprint, _READERS[manifest.kind](folder, manifest))
        )
    if not seen:
        raise UsageError("nothing to report on; name folders that assay commands wrote")
    return Sources(*map(tuple, found.values()))


def check_levels(audit: Audit) -> tuple[Finding, ...]:
    """Read an audit's findings and refuse a level that is not ours."""
    findings = audit.read_findings()
    for finding in findings:
        if finding.level not in LEVELS:
            raise InputError(
                f"{audit.folder}/findings.json has level {finding.level!r}, "
                f"needed one of {', '.join(LEVELS)}"
            )
    return tuple(sort_findings(findings))


def _read_audit(folder: Path, manifest: Manifest) -> AuditContent:
    audit = Audit(folder, manifest)
    return AuditContent(audit, read_totals(folder, manifest, AuditTotals), check_levels(audit))


# In reading order, as the fields of `Sources`.
_READERS: dict[str, Callable[[Path, Manifest], Any]] = {
    "audit": _read_audit,
    "bins": lambda folder, manifest: read_totals(folder, manifest, BinsTotals),
    "run": lambda folder, manifest: read_totals(folder, manifest, RunTotals),
    "comparison": lambda folder, manifest: read_verdict(folder),
    "probe": lambda folder, manifest: read_probe(folder),
    "diagnosis": lambda folder, manifest: read_diagnosis(folder),
}
