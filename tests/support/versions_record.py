"""Records of one command, written by hand, and what a comparison of two finds."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.versions.carry import CASES, FILES, RECORD
from bench.versions.compare import compare_trees
from bench.versions.found import Findings
from bench.versions.run import RUN
from bench.versions.tables import Tables
from bench.versions.tree import Tree


def make_tree(folder: Path, files: dict[str, str | bytes], **changes: Any) -> Tree:
    """Write a record of one case, `c`; names are those in it: stdout, files/x."""
    contents = {"stdout": "", "stderr": "", **files}
    for name, data in contents.items():
        path = folder / CASES / "c" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    written = [name.removeprefix("files/") for name in files if name.startswith(FILES)]
    record = {
        "argv": ["audit", "x", "--rows", "8"],
        "code": 0,
        "given": {},
        "written": sorted(written),
        "changed": [],
        "removed": [],
        "folders": [],
    }
    (folder / CASES / "c" / RECORD).write_text(json.dumps(record | changes))
    facts = {
        "assay": {"version": "0.1.0", "python": "3.11", "libraries": {}},
        "out": str(folder),
        "only": "",
        "cases": ["c"],
        "inputs": {},
        "unused_options": [],
        "unexpected_codes": {},
    }
    (folder / RUN).write_text(json.dumps(facts))
    return Tree(folder)


def compare(
    here: Path, old: dict[str, Any], new: dict[str, Any], tables: Tables | None = None
) -> Findings:
    trees = make_tree(here / "old", old), make_tree(here / "new", new)
    return compare_trees(*trees, tables or Tables())


def told(findings: Findings) -> list[tuple[str, str, str, str]]:
    return [(each.file, each.place, each.old, each.new) for each in findings.differences]


def seal(metrics: str, **totals: Any) -> dict[str, str | bytes]:
    """A run's folder of two files: the manifest vouches for the metrics."""
    entry = {
        "name": "metrics.jsonl",
        "size": len(metrics),
        "sha256": sha256(metrics.encode()).hexdigest(),
    }
    manifest = {"tool": "assay 0.1.0", "outputs": [entry], "totals": {"steps": 1, **totals}}
    return {"files/metrics.jsonl": metrics, "files/manifest.json": json.dumps(manifest)}
