"""Write the findings."""

from pathlib import Path

import msgspec

from assay.audit.auditors.registry import judge_totals
from assay.formats.audit import FINDINGS
from assay.formats.audit_totals import AuditTotals
from assay.storage.manifest import FileEntry, enter_file
from assay.storage.publish import publish_bytes


def write_findings(output: Path, totals: AuditTotals) -> FileEntry:
    """Judge the totals of an audit, and write its findings; return their manifest entry."""
    findings = msgspec.json.format(msgspec.json.encode(judge_totals(totals)), indent=2)
    publish_bytes(output / FINDINGS, findings + b"\n")
    return enter_file(output / FINDINGS, output)
