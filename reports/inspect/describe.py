"""What a folder or a file holds, as lines for a terminal and as JSON."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from assay.corpus.bins.bin_file import SUFFIXES, locate_ids
from assay.errors import InputError, UsageError
from assay.formats.audit import open_audit
from assay.formats.comparison import read_verdict
from assay.formats.diagnosis import DiagnosisResult, read_diagnosis
from assay.formats.findings import describe_findings
from assay.formats.probe import PARENTHESES, read_probe
from assay.reports.sources.sources import check_levels
from assay.reports.views.diagnosis import list_levels
from assay.reports.views.probe import list_causes
from assay.storage.manifest import FileEntry, read_manifest
from assay.terminal.layout import hang
from assay.terminal.numbers import count
from assay.terminal.text import align, screen_width, show_line

Description = dict[str, Any]
_INDENT = 2
_FIGURES = ("verdict", "run", "doubt", "slope", "expected")  # of a diagnosis


def describe_path(path: Path) -> tuple[Description, str]:
    """Describe a sealed folder, a bin or a parquet file: facts for JSON, and text.

    Raises:
        UsageError: There is no such path, or it is of no kind that is known.
        InputError: It cannot be read.
    """
    if path.is_dir():
        return _describe_folder(path)
    if not path.exists():
        raise UsageError(f"no file or folder at {path}")
    if path.suffix in SUFFIXES:
        return _describe_bin(path)
    if path.suffix == ".parquet":
        return _describe_parquet(path)
    raise UsageError(
        f"{path}: needed a folder that assay wrote, a .parquet file or a bin "
        f"({', '.join(SUFFIXES)})"
    )


def _describe_folder(folder: Path) -> tuple[Description, str]:
    manifest = read_manifest(folder)
    facts: Description = {"path": str(folder), **msgspec.to_builtins(manifest)}
    parts = [
        align([("kind", show_line(manifest.kind)), ("made by", show_line(manifest.tool))]),
        _titled("settings", align(_flatten(manifest.settings))),
        _titled("totals", align(_flatten(manifest.totals))),
        _titled("inputs", _list_files(manifest.inputs)),
        _titled("files", _list_files(manifest.outputs)),
    ]
    if manifest.kind == "audit":
        findings = check_levels(open_audit(folder))
        facts["findings"] = msgspec.to_builtins(findings)
        parts.insert(1, _titled("findings", describe_findings(findings, _find_width())))
    if manifest.kind == "diagnosis":
        found = read_diagnosis(folder)
        facts["diagnosis"] = _shorten(found)
        parts.insert(1, _titled("hypotheses", align(list_levels(found))))
        parts.insert(1, _titled("conclusions", _break_lines(found.conclusions)))
    if manifest.kind == "comparison":
        verdict = read_verdict(folder)
        facts["verdict"] = msgspec.to_builtins(verdict)
        parts.insert(1, _titled("verdict", _break_lines([verdict.sentence])))
    if manifest.kind == "probe":
        probe = read_probe(folder)
        facts["probe"] = msgspec.to_builtins(probe)
        parts.insert(1, _titled(f"the table. {PARENTHESES}", align(list_causes(probe))))
    return facts, "\n\n".join(part for part in parts if part)


def _shorten(found: DiagnosisResult) -> Description:
    """Return what the text says of a diagnosis; diagnosis.json has more figures."""
    facts: Description = msgspec.to_builtins(found)
    del facts["log"]["facts"]
    if found.forecast is not None:
        facts["forecast"] = {name: facts["forecast"][name] for name in ("step", "loss", "interval")}
    return {name: value for name, value in facts.items() if name not in _FIGURES}


def _break_lines(sentences: Iterable[str]) -> str:
    """Put each sentence on a line, or, on a terminal, on as many as it takes."""
    return "\n".join(hang(show_line(text, 2_000), _find_width()) for text in sentences)


def _find_width() -> int | None:
    width = screen_width()
    return width and width - _INDENT


def _titled(title: str, text: str) -> str:
    return (
        f"{title}\n" + "\n".join(f"{' ' * _INDENT}{line}" for line in text.splitlines())
        if text
        else ""
    )


def _flatten(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Lay nested settings or totals out as dotted names; long lists are counted."""
    if isinstance(value, dict):
        rows = []
        for key, inner in value.items():
            label = show_line(str(key), 60)
            rows += _flatten(inner, f"{name}.{label}" if name else label)
        return rows
    if isinstance(value, list):
        plain = all(not isinstance(item, dict | list) for item in value)
        if not plain or len(value) > 8:
            return [(name, f"{count(len(value))} entries")]
        return [(name, ", ".join(_format(item) for item in value) or "none")]
    return [(name, _format(value))]


def _format(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return count(value)
    return f"{value:.6g}" if isinstance(value, float) else show_line(str(value), 200)


def _list_files(entries: Sequence[FileEntry]) -> str:
    shown = entries[:50]
    size = max((len(count(entry.size)) for entry in shown), default=0)
    rows = [
        (
            show_line(entry.name, 100),
            count(entry.size).rjust(size) + " bytes",
            "" if entry.rows is None else f"{count(entry.rows)} rows",
            show_line(entry.sha256, 64)[:16],
        )
        for entry in shown
    ]
    return align(rows) + (f"\n{count(len(entries) - 50)} more" if len(entries) > 50 else "")


def _describe_bin(path: Path) -> tuple[Description, str]:
    layout = locate_ids(path)
    ids_T = layout.map_ids(path)
    largest = int(ids_T.max(initial=0))
    # GPT-2's end-of-text: the bin itself does not say which tokenizer made it.
    marks = int((ids_T == 50_256).sum())
    facts = {"path": str(path), "kind": "bin", "form": layout.form, "dtype": layout.dtype.name,
             "ids": ids_T.size, "largest_id": largest, "end_of_text_50256": marks}  # fmt: skip
    return facts, align(
        [
            ("kind", f"bin: {layout.dtype.name} ids, {layout.form}"),
            ("ids", count(ids_T.size)),
            ("largest id", count(largest)),
            ("ids 50256 (GPT-2's end-of-text)", count(marks)),
        ]
    )


def _describe_parquet(path: Path) -> tuple[Description, str]:
    try:
        with pq.ParquetFile(path) as file:
            columns = {field.name: str(field.type) for field in file.schema_arrow}
            rows, groups = file.metadata.num_rows, file.metadata.num_row_groups
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split())[:200]}") from error
    facts = {"path": str(path), "kind": "parquet", "rows": rows, "row_groups": groups,
             "columns": columns}  # fmt: skip
    head = [("kind", "parquet"), ("rows", count(rows)), ("row groups", count(groups))]
    body = [(show_line(name, 60), show_line(kind, 60)) for name, kind in columns.items()]
    return facts, f"{align(head)}\n\n{_titled('columns', align(body))}"
