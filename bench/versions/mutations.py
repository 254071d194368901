"""Changes to a record, one at a time: what a reorganisation might break, in the smallest form.

Each function takes the folder of the cases, changes it, and returns the name of what it changed.
"""

import io
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.versions.carry import RECORD

Change = Callable[[Path], str]


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change, and whether a comparison has to see it."""

    name: str
    change: Change
    seen: bool = True


def _write(path: Path, data: bytes) -> None:
    """Write anew: the folder is a copy by hard links, whose files the record shares."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def edit_json(name: str, edit: Callable[[Any], None]) -> Change:
    """Change the values of a JSON file."""

    def change(cases: Path) -> str:
        value = json.loads((cases / name).read_bytes())
        edit(value)
        _write(cases / name, (json.dumps(value, indent=2) + "\n").encode())
        return name

    return change


def set_json(name: str, *path: str | int, by: Callable[[Any], Any]) -> Change:
    """Change one value of a JSON file."""

    def edit(value: Any) -> None:
        for step in path[:-1]:
            value = value[step]
        value[path[-1]] = by(value[path[-1]])

    return edit_json(name, edit)


def edit_table(name: str, edit: Callable[[pa.Table], pa.Table]) -> Change:
    """Change the rows of a parquet file."""

    def change(cases: Path) -> str:
        table = edit(pq.read_table(io.BytesIO((cases / name).read_bytes())))
        out = io.BytesIO()
        pq.write_table(table, out, compression="zstd", write_page_checksum=True)
        _write(cases / name, out.getvalue())
        return name

    return change


def edit_text(name: str, old: str, new: str) -> Change:
    """Replace the first match of a pattern in a text."""

    def change(cases: Path) -> str:
        text = (cases / name).read_text()
        changed, times = re.subn(old, new, text, count=1)
        if not times or changed == text:
            raise ValueError(f"{name} has nothing like {old}")
        _write(cases / name, changed.encode())
        return name

    return change


def flip_bit(name: str, place: int) -> Change:
    """Flip the lowest bit of one byte."""

    def change(cases: Path) -> str:
        data = bytearray((cases / name).read_bytes())
        data[place] ^= 1
        _write(cases / name, bytes(data))
        return name

    return change


def _remove(name: str) -> Change:
    def change(cases: Path) -> str:
        (cases / name).unlink()
        return name

    return change


def _add(name: str) -> Change:
    def change(cases: Path) -> str:
        _write(cases / name, b"")
        return name

    return change


def _remove_case(name: str) -> Change:
    def change(cases: Path) -> str:
        shutil.rmtree(cases / name)
        return name

    return change


def _slow_down(run: str, *, seal: bool) -> Change:
    """Change a run's tokens a second as another machine would; with its manifest, or without."""

    def change(cases: Path) -> str:
        metrics, manifest = f"{run}/metrics.jsonl", f"{run}/manifest.json"
        lines = (cases / metrics).read_text().splitlines()
        first = json.loads(lines[0])
        first["tokens_per_second"] *= 1.5
        data = "\n".join([json.dumps(first), *lines[1:], ""]).encode()
        _write(cases / metrics, data)

        def vouch(value: Any) -> None:
            entry = next(each for each in value["outputs"] if each["name"] == "metrics.jsonl")
            entry |= {"size": len(data), "sha256": sha256(data).hexdigest()}

        if seal:
            edit_json(manifest, vouch)(cases)
            return metrics
        return manifest  # which now vouches for a file that is not there

    return change


def _swap_rows(table: pa.Table) -> pa.Table:
    return table.take([1, 0, *range(2, table.num_rows)])


def _nudge_jaccard(table: pa.Table) -> pa.Table:
    place = table.column_names.index("jaccard")
    changed = pc.multiply(table["jaccard"], 1 - 1e-12)
    return table.set_column(place, table.schema.field("jaccard"), changed)


def _name_other_parent(value: Any) -> None:
    """Let bins name another recorded file as the audit they come from."""
    value["parents"]["audit"] = value["outputs"][0]["sha256"]


_AUDIT = "audit-plain/files/audit"
_BINS = "prepare-clean/files/bins/clean"
_RUN = "train-kept/files/run"
_AB = "compare-worse/files/ab"
MUTATIONS = (
    Mutation("a total in a manifest is 1 higher",
             set_json(f"{_AUDIT}/manifest.json", "totals", "tokens", by=lambda n: n + 1)),
    Mutation("a total is written as a float",
             set_json(f"{_AUDIT}/manifest.json", "totals", "tokens", by=float)),
    Mutation("a key of the totals has another name",
             edit_json(f"{_AUDIT}/manifest.json",
                       lambda v: v["totals"].update(exakt=v["totals"].pop("exact")))),
    Mutation("a row is dropped from a table",
             edit_table(f"{_AUDIT}/pairs.parquet", lambda t: t.slice(1))),
    Mutation("two rows of a table change places",
             edit_table(f"{_AUDIT}/documents.parquet", _swap_rows)),
    Mutation("a column of a table is off by 1e-12",
             edit_table(f"{_AUDIT}/pairs.parquet", _nudge_jaccard)),
    Mutation("equal rows, other metadata of the file",
             edit_table(f"{_AUDIT}/leaks.parquet",
                        lambda t: t.replace_schema_metadata({"a": "b"}))),
    Mutation("a finding is lost", edit_json(f"{_AUDIT}/findings.json", lambda v: v.pop(2))),
    Mutation("two findings change places",
             edit_json(f"{_AUDIT}/findings.json", lambda v: v.insert(0, v.pop(1)))),
    Mutation("a finding's level is another one",
             set_json(f"{_AUDIT}/findings.json", 0, "level", by=lambda _: "low")),
    Mutation("a bit of a bin is flipped", flip_bit(f"{_BINS}/train.bin", 1000)),
    Mutation("a bit of the kept ids is flipped", flip_bit(f"{_AUDIT}/tokens/00000.bin", 77)),
    Mutation("a weight differs in its last bit", flip_bit(f"{_RUN}/model.safetensors", -4)),
    Mutation("a moment differs in its last bit", flip_bit(f"{_RUN}/optimizer.safetensors", -4)),
    Mutation("a bit of a ckpt.pt is flipped",
             flip_bit("train-nanogpt/files/run/ckpt.pt", 4000)),
    Mutation("a difference is off by 1e-6, relative",
             set_json(f"{_AB}/verdict.json", "difference", by=lambda x: x * (1 + 1e-6))),
    Mutation("a difference is off by 1e-15, relative",
             set_json(f"{_AB}/verdict.json", "difference", by=lambda x: x * (1 + 4e-16))),
    Mutation("a line of the metrics is lost",
             edit_text(f"{_RUN}/metrics.jsonl", r"^.*\n", "")),
    Mutation("points of a hypothesis are 0.5 higher",
             set_json("diagnose-flat/files/why/diagnosis.json", "hypotheses", 0, "points",
                      by=lambda x: x + 0.5)),
    Mutation("a number on stdout is another one",
             edit_text("audit-plain/stdout", r"(\d)(\d) of", r"\g<1>7 of")),
    Mutation("a number in JSON on stdout is 1 higher",
             edit_text("audit-json/stdout", r'"documents": (\d)', r'"documents": 9\1')),
    Mutation("stdout is aligned otherwise", edit_text("prepare-plain/stdout", r"  ", "   ")),
    Mutation("a line of stderr is lost", edit_text("compare-two/stderr", r"^.*\n", "")),
    Mutation("an error names another option",
             edit_text("audit-usage-05/stderr", "--threshold", "threshold")),
    Mutation("a word of a report's HTML is another one",
             edit_text("report-all-html/files/page.html", "documents", "files")),
    Mutation("a coordinate in a report's chart is another one",
             edit_text("report-all-html/files/page.html", r"translate\((\d+)", r"translate(9\1")),
    Mutation("a line of a report in markdown is lost",
             edit_text("report-audit-md/files/page.md", r"\n\|[^\n]*\n", "\n")),
    Mutation("a file is missing", _remove(f"{_AUDIT}/leaks.parquet")),
    Mutation("there is one file more", _add(f"{_AUDIT}/notes.txt")),
    Mutation("a command is missing", _remove_case("verify-bins")),
    Mutation("an exit code is another one",
             set_json(f"audit-leak/{RECORD}", "code", by=lambda _: 0)),
    Mutation("a command has other words",
             set_json(f"audit-bands/{RECORD}", "argv", -1, by=lambda _: "6")),
    Mutation("a file that was given is left changed",
             set_json(f"audit-again/{RECORD}", "changed", by=lambda _: ["audit/manifest.json"])),
    Mutation("bins name another file as their audit",
             edit_json(f"{_BINS}/manifest.json", _name_other_parent)),
    Mutation("a manifest's size of a JSON file is wrong",
             set_json(f"{_AUDIT}/manifest.json", "outputs", -1, "size", by=lambda n: n + 1)),
    Mutation("tokens a second differ, and the manifest does not say so",
             _slow_down("train-muon/files/run", seal=False)),
    Mutation("a manifest names another version of assay",
             set_json(f"{_AUDIT}/manifest.json", "tool", by=lambda _: "assay 9.9.9")),
    Mutation("masked: tokens a second in metrics.jsonl, and their manifest",
             _slow_down("train-muon/files/run", seal=True), seen=False),
    Mutation("masked: tokens a second in a line of progress",
             edit_text("train-kept/stderr", r"[\d,]+ tokens/s", "1 tokens/s"), seen=False),
    Mutation("masked: which of two processes speaks first",
             edit_text("compare-devices/stderr", r"(run .*\n)(run .*\n)", r"\2\1"), seen=False),
    Mutation("not looked at: spaces between the values of a JSON file",
             edit_text("report-audit-json/files/page.json", r": ", ":  "), seen=False),
)  # fmt: skip
