"""Two records compared, file by file: nothing is left out in silence."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.versions.carry import FILES, STDOUT
from bench.versions.found import Findings
from bench.versions.kinds import BYTES, TEXT, VALUES, kind_of
from bench.versions.lines import compare_texts
from bench.versions.masks import MASKS
from bench.versions.run import read_renamed, rename
from bench.versions.tables import Tables, read_tables
from bench.versions.tree import Tree
from bench.versions.values import compare_values, parse_values

_THERE, _MISSING = "(there)", "(missing)"
_LISTED = ("written", "changed", "removed", "folders")


def compare_trees(old: Tree, new: Tree, tables: Tables) -> Findings:
    """Compare all that two versions printed and wrote."""
    findings, trees = Findings(), (old, new)
    old.nameless = {case: tables.left_behind(case) for case in old.cases}
    _compare_runs(old, new, tables, findings)
    for case in [*old.cases, *(case for case in new.cases if case not in old.cases)]:
        if case in old.cases and case in new.cases:
            _compare_records(case, trees, tables, findings)
        else:
            there = [_THERE if case in tree.cases else _MISSING for tree in trees]
            findings.differ(case, "the whole case", *there)
    left = {f"{case}/{FILES}/{name}" for case, names in old.nameless.items() for name in names}
    for name in sorted((old.files.keys() | new.files.keys()) - left):
        if name in old.files and name in new.files:
            _compare_file(name, trees, tables, findings)
        else:
            there = [_THERE if name in tree.files else _MISSING for tree in trees]
            findings.differ(name, "the whole file", *there)
    return findings


def _compare_runs(old: Tree, new: Tree, tables: Tables, findings: Findings) -> None:
    """Compare what must be the same of the runs, and the old one's own faults."""
    for key in ("python", "libraries"):
        one, other = (tree.facts["assay"][key] for tree in (old, new))
        if one != other:
            findings.differ("run.json", key, json.dumps(one), json.dumps(other))
    for key in ("cases", "inputs"):
        if old.facts[key] != new.facts[key]:
            findings.differ("run.json", key, f"{len(old.facts[key])}", f"{len(new.facts[key])}")
    for line in old.facts["unused_options"]:
        findings.differ("run.json", "unused options", line, "")
    mended = {each.case for each in tables.codes}
    for name, (written, found) in old.facts["unexpected_codes"].items():
        if name not in mended:
            findings.differ(name, "exit code", f"{found}, the table has {written}", "")


def _compare_records(
    case: str, trees: tuple[Tree, Tree], tables: Tables, findings: Findings
) -> None:
    """Compare commands, exit codes, and lists of files."""
    one, other = (tree.record(case) for tree in trees)
    argv = list(rename(one["argv"], read_renamed()))
    if other["argv"] not in (argv, one["argv"]):
        findings.differ(case, "argv", " ".join(argv), " ".join(other["argv"]))
    codes: tuple[int, int] = one["code"], other["code"]
    if codes[0] != codes[1] and not any(each.allows(case, *codes) for each in tables.codes):
        findings.differ(case, "exit code", *map(str, codes))
    left = tables.left_behind(case)
    for key in _LISTED:
        kept = [name for name in one[key] if name not in left]
        if kept != other[key]:
            findings.differ(case, f"files {key}", ", ".join(kept), ", ".join(other[key]))
    given = [
        {name: tree.name_hash(sha256) or sha256 for name, sha256 in record["given"].items()}
        for record, tree in zip((one, other), trees, strict=True)
    ]
    for name in sorted(given[0].keys() | given[1].keys()):
        before, after = (side.get(name, _MISSING) for side in given)
        if before != after:
            findings.differ(case, f"given {name}", before, after)


def _compare_file(name: str, trees: tuple[Tree, Tree], tables: Tables, findings: Findings) -> None:
    old, new = (tree.read(name) for tree in trees)
    kind = kind_of(name)
    values = _parse_both(name, old, new) if kind == VALUES or name.endswith(f"/{STDOUT}") else None
    kind = kind if kind == BYTES else VALUES if values else TEXT
    findings.count(kind, len(old))
    if kind == BYTES:
        if old != new:
            findings.differ(name, *explain_bytes(name, old, new))
    elif values:
        compare_values(name, *values, trees, tables, findings)
    else:
        compare_texts(name, old, new, trees, tables, findings)


def _parse_both(name: str, old: bytes, new: bytes) -> tuple[Any, Any] | None:
    """Read both as values; None where one holds none, and then they are compared as text."""
    try:
        return parse_values(name, old), parse_values(name, new)
    except ValueError:
        return None


def explain_bytes(name: str, old: bytes, new: bytes) -> tuple[str, str, str]:
    """Say where two binary files differ; of tables also in which columns."""
    at = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    at = min(len(old), len(new)) if at is None else at
    there = [data[at : at + 8].hex(" ") or "the end" for data in (old, new)]
    sides = [f"{len(data):,} bytes, there {b}" for data, b in zip((old, new), there, strict=True)]
    place = f"byte {at:,}"
    if name.endswith(".parquet"):
        place += _explain_tables(old, new)
    return place, sides[0], sides[1]


def _explain_tables(old: bytes, new: bytes) -> str:
    try:
        one, other = (pq.read_table(io.BytesIO(data)) for data in (old, new))
    except (OSError, pa.ArrowException) as error:
        return f"; one is no table ({error})"
    if one.num_rows != other.num_rows:
        return f"; {one.num_rows:,} rows, {other.num_rows:,} rows"
    if not one.schema.equals(other.schema, check_metadata=True):
        return "; other columns, types or metadata"
    columns = [name for name in one.column_names if one[name] != other[name]]
    return f"; columns {', '.join(columns)}" if columns else "; equal rows, written otherwise"


def list_stale(findings: Findings, tables: Tables, old: Tree) -> list[str]:
    """Name entries of the tables, masks and renamed options that nothing used."""
    stale = tables.list_stale()
    stale += [f"masks.py: {mask.name}" for mask in MASKS if not findings.masked[mask.name]]
    commands = [old.record(case)["argv"] for case in old.cases]
    for entry in read_renamed():
        if not any(rename(argv, [entry]) != tuple(argv) for argv in commands):
            stale.append(f"renamed.toml: {entry[0]} {' '.join(entry[1])}")
    return stale


def compare_folders(old: Path, new: Path, *, most: int = 20) -> int:
    """Compare two records, print what was found, and return 1 on any difference."""
    before, after, tables = Tree(old), Tree(new), read_tables()
    findings = compare_trees(before, after, tables)
    shown: dict[str, int] = {}
    for each in findings.differences:
        shown[each.file] = shown.get(each.file, 0) + 1
        if not most or shown[each.file] <= most:
            print(each.format())
    for file, number in shown.items():
        if most and number > most:
            print(f"{file}: {number - most:,} more differences; --all prints them")
    partial = [tree.facts["only"] for tree in (before, after) if tree.facts["only"]]
    stale = [] if partial else list_stale(findings, tables, before)
    if partial:
        print(f"a part of the set ({partial[0]}): entries that nothing uses are not looked for")
    for line in stale:
        print(f"stale, used nowhere: {line}")
    print(format_summary(findings, before))
    return 1 if findings.differences or stale else 0


def format_summary(findings: Findings, old: Tree) -> str:
    """Say how much was compared, and what was masked how often."""
    lines = [f"{len(old.cases):,} commands, {sum(findings.files.values()):,} files"]
    for kind in (BYTES, VALUES, TEXT):
        lines.append(
            f"  as {kind:<7}{findings.files[kind]:>7,} files {findings.bytes[kind]:>14,} bytes"
        )
    lines.append(f"{findings.values:,} values; masked, in both records together:")
    lines += [f"  {times:>7,}  {name}" for name, times in sorted(findings.masked.items())]
    lines.append(f"{len(findings.differences):,} differences")
    return "\n".join(lines)
