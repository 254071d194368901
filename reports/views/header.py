"""What stands around the sections: title, verdict of an audit, origin, facts as JSON."""

from pathlib import Path
from typing import Any

import msgspec

from assay.formats.comparison import VERDICT
from assay.formats.diagnosis import DIAGNOSIS
from assay.formats.probe import PROBE
from assay.reports.page.number_format import LEVEL_TONES
from assay.reports.page.page import Banner, Block, Facts, Mark, Section
from assay.reports.sources.sources import AuditSource, Sources, read_json
from assay.reports.views.audit import tabulate_inputs
from assay.storage.manifest import Manifest
from assay.terminal.numbers import count
from assay.terminal.text import show_line


def name_folder(folder: Path) -> str:
    """Name a folder as people do: its last part, safe to show."""
    return show_line(folder.resolve().name or str(folder), 60)


def name_page(sources: Sources) -> str:
    """Name a report by its folders: "audit legal, bins clean, comparison ab"."""
    parts = [f"audit {name_folder(source.audit.folder)}" for source in sources.audits]
    parts += [f"bins {name_folder(source.bins.folder)}" for source in sources.bins]
    parts += [f"run {name_folder(source.folder)}" for source in sources.runs]
    parts += [f"comparison {name_folder(source.folder)}" for source in sources.comparisons]
    parts += [f"probe {name_folder(source.folder)}" for source in sources.probes]
    parts += [f"diagnosis {name_folder(source.folder)}" for source in sources.diagnoses]
    return ", ".join(parts)


def count_inputs(sources: Sources) -> str:
    """Say how many shards the audits read, distinct by content, and their rows."""
    entries = {
        entry.sha256: entry for source in sources.audits for entry in source.audit.manifest.inputs
    }
    if not entries:
        return ""
    rows = sum(entry.rows or 0 for entry in entries.values())
    noun = "shard" if len(entries) == 1 else "shards"
    return f"{count(len(entries))} {noun}, {count(rows)} rows"


def judge_audit(source: AuditSource) -> Banner:
    """Say in a few words what an audit found, and its three worst findings."""
    judged = [f for f in source.findings if f.level not in ("info", "ok")]
    worst = judged[:3]
    marks = tuple(
        Mark(
            LEVEL_TONES[finding.level],
            finding.level,
            show_line(finding.sentence, 500),
            show_line(finding.action, 300) if finding.action else "",
        )
        for finding in worst
    )
    tone = LEVEL_TONES[judged[0].level] if judged else "good"
    number = len(judged)
    word = f"{count(number)} {'finding' if number == 1 else 'findings'} to act on"
    if not judged:
        word = "nothing to act on"
    totals = source.totals
    sentence = (
        f"{count(totals.documents)} documents, {count(totals.tokens)} tokens, of which "
        f"{count(totals.unique_tokens)} are unique."
    )
    return Banner(tone, word, f"audit {name_folder(source.audit.folder)}", sentence, marks)


def list_manifests(sources: Sources) -> list[tuple[str, Path, Manifest, str]]:
    """List every folder in reading order: kind, path, manifest, sha256 of the manifest."""
    rows = [("audit", s.audit.folder, s.audit.manifest, s.fingerprint) for s in sources.audits]
    rows += [("bins", s.bins.folder, s.bins.manifest, s.fingerprint) for s in sources.bins]
    trained = (*sources.runs, *sources.comparisons, *sources.probes, *sources.diagnoses)
    rows += [(s.manifest.kind, s.folder, s.manifest, s.fingerprint) for s in trained]
    return rows


def view_origin(sources: Sources) -> Section:
    """Say from what each folder was made: inputs with sha256, settings, parents."""
    blocks: list[Block] = []
    for kind, folder, manifest, fingerprint in list_manifests(sources):
        items = [
            ("folder", f"{kind} {show_line(str(folder), 200)}"),
            ("made by", show_line(manifest.tool, 60)),
            ("sha256 of its manifest", fingerprint),
        ]
        if manifest.tokenizer:
            items.append(
                ("tokenizer fingerprint", show_line(str(manifest.tokenizer.get("fingerprint")), 64))
            )
        if manifest.word_rule:
            items.append(("word rule", show_line(manifest.word_rule, 80)))
        items += [
            (f"from {show_line(name, 40)}", show_line(sha256, 64))
            for name, sha256 in manifest.parents.items()
        ]
        blocks.append(Facts(tuple(items)))
        if manifest.inputs and (kind == "audit" or not sources.audits):
            blocks.append(tabulate_inputs(manifest.inputs))
    lead = "Contents are named by sha256; the chain of manifests leads back to the shards."
    return Section("origin", "Where this comes from", lead, tuple(blocks))


def gather_facts(sources: Sources) -> dict[str, Any]:
    """Gather findings and totals, unrounded: what `--format json` writes."""
    folders = []
    for kind, folder, manifest, fingerprint in list_manifests(sources):
        folders.append(
            {
                "kind": kind,
                "folder": str(folder),
                "manifest_sha256": fingerprint,
                "tool": manifest.tool,
                "settings": manifest.settings,
                "totals": manifest.totals,
            }
        )
    by_folder = {str(source.audit.folder): source for source in sources.audits}
    for entry in folders:
        found = by_folder.get(str(entry["folder"]))
        if found is not None:
            entry["findings"] = msgspec.to_builtins(found.findings)
    for key, name, kept in (
        ("verdict", VERDICT, sources.comparisons),
        ("probe", PROBE, sources.probes),
        ("diagnosis", DIAGNOSIS, sources.diagnoses),
    ):
        for source in kept:
            entry = next(e for e in folders if e["folder"] == str(source.folder))
            entry[key] = read_json(source.folder / name)
    return {"folders": folders}
