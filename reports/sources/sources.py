"""The folders that a report is made from: opened, checked, told apart, put in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from assay.errors import InputError, UsageError
from assay.formats.audit import Audit
from assay.formats.audit_totals import AuditTotals
from assay.formats.bins import Bins, BinsTotals
from assay.formats.findings import LEVELS, Finding
from assay.storage.manifest import Manifest, check_file, hash_manifest, read_manifest, read_totals

KINDS = ("audit", "bins", "run", "comparison", "probe", "diagnosis")


@dataclass(frozen=True, slots=True)
class AuditSource:
    """A sealed audit, its totals and findings."""

    audit: Audit
    totals: AuditTotals
    findings: tuple[Finding, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class BinsSource:
    """A sealed folder of bins and its totals."""

    bins: Bins
    totals: BinsTotals
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TrainSource:
    """A sealed run, comparison, probe or diagnosis; `manifest.kind` tells which."""

    folder: Path
    manifest: Manifest
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Sources:
    """All folders of a report, in reading order."""

    audits: tuple[AuditSource, ...] = ()
    bins: tuple[BinsSource, ...] = ()
    runs: tuple[TrainSource, ...] = ()
    comparisons: tuple[TrainSource, ...] = ()
    probes: tuple[TrainSource, ...] = ()
    diagnoses: tuple[TrainSource, ...] = ()


def open_sources(folders: Sequence[Path]) -> Sources:
    """Open folders of any kinds, in any order.

    Raises:
        UsageError: There is none, one is named twice, or one is of an unknown kind.
        InputError: A manifest, its totals or its findings cannot be read.
        IntegrityError: A file's size is not the manifest's.
    """
    if not folders:
        raise UsageError("nothing to report on; name folders that assay commands wrote")
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    seen: dict[str, Path] = {}
    for folder in folders:
        manifest = read_manifest(folder)
        if manifest.kind not in KINDS:
            raise UsageError(f"{folder} holds {manifest.kind}; a report reads {', '.join(KINDS)}")
        fingerprint = hash_manifest(folder)
        if fingerprint in seen:
            raise UsageError(f"{folder} is the same as {seen[fingerprint]}; name it once")
        seen[fingerprint] = folder
        for entry in manifest.outputs:
            check_file(folder, entry, hashes=False)
        found[manifest.kind].append(_open(folder, manifest, fingerprint))
    return Sources(
        audits=tuple(found["audit"]),
        bins=tuple(found["bins"]),
        runs=tuple(found["run"]),
        comparisons=tuple(found["comparison"]),
        probes=tuple(found["probe"]),
        diagnoses=tuple(found["diagnosis"]),
    )


def _open(
    folder: Path, manifest: Manifest, fingerprint: str
) -> AuditSource | BinsSource | TrainSource:
    if manifest.kind == "audit":
        audit = Audit(folder, manifest)
        totals = read_totals(folder, manifest, AuditTotals)
        return AuditSource(audit, totals, check_levels(audit), fingerprint)
    if manifest.kind == "bins":
        totals_of_bins = read_totals(folder, manifest, BinsTotals)
        return BinsSource(Bins(folder, manifest), totals_of_bins, fingerprint)
    return TrainSource(folder, manifest, fingerprint)


def check_levels(audit: Audit) -> tuple[Finding, ...]:
    """Read an audit's findings and refuse a level that is not ours."""
    findings = audit.read_findings()
    for finding in findings:
        if finding.level not in LEVELS:
            raise InputError(
                f"{audit.folder}/findings.json has level {finding.level!r}, "
                f"needed one of {', '.join(LEVELS)}"
            )
    return tuple(sorted(findings, key=lambda finding: LEVELS.index(finding.level)))


def read_json(path: Path) -> Any:
    """Read a JSON file of ours.

    Raises:
        InputError: It is missing or not JSON.
    """
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
