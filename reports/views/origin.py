"""Where a report comes from: inputs and manifests by sha256; and all of it as facts, for JSON."""

from typing import Any

import msgspec

from assay.reports.page.number_format import NO_VALUE
from assay.reports.page.page import Block, Facts, Section, Table
from assay.reports.sources.sources import AuditContent, Source, Sources
from assay.storage.manifest import FileEntry
from assay.terminal.numbers import count, number_of
from assay.terminal.text import show_line

MAX_INPUTS = 200  # rows of a table of inputs; the manifest has all
# What `--format json` calls the content of a folder, beside its manifest's totals.
_KEYS = {"comparison": "verdict", "probe": "probe", "diagnosis": "diagnosis"}


def count_inputs(sources: Sources) -> str:
    """Say how many shards the audits read, distinct by content, and their rows."""
    entries = {entry.sha256: entry for source in sources.audits for entry in source.manifest.inputs}
    if not entries:
        return ""
    rows = sum(entry.rows or 0 for entry in entries.values())
    return f"{number_of(len(entries), 'shard')}, {count(rows)} rows"


def view_origin(sources: Sources) -> Section:
    """Say from what each folder was made: inputs with sha256, settings, parents."""
    blocks: list[Block] = []
    for source in sources:
        blocks.append(Facts(tuple(_list_origin(source))))
        inputs = source.manifest.inputs
        if inputs and (source.manifest.kind == "audit" or not sources.audits):
            blocks.append(_tabulate_inputs(inputs))
    lead = "Contents are named by sha256; the chain of manifests leads back to the shards."
    return Section("origin", "Where this comes from", lead, tuple(blocks))


def _list_origin(source: Source[Any]) -> list[tuple[str, str]]:
    manifest = source.manifest
    items = [
        ("folder", f"{manifest.kind} {show_line(str(source.folder), 200)}"),
        ("made by", show_line(manifest.tool, 60)),
        ("sha256 of its manifest", source.fingerprint),
    ]
    if manifest.tokenizer:
        items.append(
            ("tokenizer fingerprint", show_line(str(manifest.tokenizer.get("fingerprint")), 64))
        )
    if manifest.word_rule:
        items.append(("word rule", show_line(manifest.word_rule, 80)))
    return items + [
        (f"from {show_line(name, 40)}", show_line(sha, 64))
        for name, sha in manifest.parents.items()
    ]


def _tabulate_inputs(entries: list[FileEntry]) -> Table:
    """Lay input files out with rows, size and sha256."""
    more = len(entries) - MAX_INPUTS
    rows = tuple(
        (
            show_line(entry.name, 120),
            count(entry.rows) if entry.rows is not None else NO_VALUE,
            count(entry.size),
            show_line(entry.sha256, 64),
        )
        for entry in entries[:MAX_INPUTS]
    )
    return Table(
        ("input", "rows", "bytes", "sha256"),
        rows,
        frozenset({1, 2}),
        f"{count(more)} more in the manifest." if more > 0 else "",
    )


def gather_facts(sources: Sources) -> dict[str, Any]:
    """Gather findings, totals and verdicts, unrounded: what `--format json` writes."""
    return {"folders": [_list_facts(source) for source in sources]}


def _list_facts(source: Source[Any]) -> dict[str, Any]:
    facts = {
        "kind": source.manifest.kind,
        "folder": str(source.folder),
        "manifest_sha256": source.fingerprint,
        "tool": source.manifest.tool,
        "settings": source.manifest.settings,
        "totals": source.manifest.totals,
    }
    if isinstance(source.content, AuditContent):
        facts["findings"] = msgspec.to_builtins(source.content.findings)
    elif source.manifest.kind in _KEYS:
        facts[_KEYS[source.manifest.kind]] = msgspec.to_builtins(source.content)
    return facts
