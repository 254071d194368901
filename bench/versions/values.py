"""JSON, JSON lines and TOML compared as values."""

import json
import math
import tomllib
from collections.abc import Iterator
from typing import Any

from bench.versions.found import Findings
from bench.versions.kinds import BYTES, kind_of
from bench.versions.masks import MASKS, hides
from bench.versions.tables import Tables, ValuePath
from bench.versions.tree import Tree

_RELATIVE = 1e-9
_MISSING = "(nothing)"


def parse_values(name: str, data: bytes) -> Any:
    """Read values from a file, or from a stdout that is JSON.

    Raises:
        ValueError: It holds none.
    """
    text = data.decode()
    if name.endswith(".toml"):
        return tomllib.loads(text)
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in text.splitlines()]
    found = json.loads(text)
    if not isinstance(found, dict | list):
        raise ValueError("a lone value is text")
    return found


def compare_values(
    name: str, old: Any, new: Any, trees: tuple[Tree, Tree], tables: Tables, findings: Findings
) -> None:
    """Compare the values of one file, each at its path."""
    sides = []
    for value, tree in ((old, trees[0]), (new, trees[1])):
        settled = settle(value, tree, findings)
        sides.append({path: leaf for path, leaf in flatten(settled)})
    before, after = (_mask(name, side, findings) for side in sides)
    moved: dict[ValuePath, Any] = {}
    for path, leaf in before.items():
        for key in tables.keys:
            path = key.move(name, path)
        if isinstance(leaf, str):
            for sentence in tables.sentences:
                leaf = sentence.apply(name, leaf)
        moved[path] = leaf
    for path in [*moved, *(path for path in after if path not in moved)]:
        one, other = moved.get(path, _MISSING), after.get(path, _MISSING)
        findings.values += 1
        if path not in moved and any(each.allows(name, path) for each in tables.added):
            continue
        if not _is_same(name, path, one, other, tables):
            findings.differ(name, show_path(path), _show(one), _show(other))


def settle(value: Any, tree: Tree, findings: Findings) -> Any:
    """Write names for sha256 of recorded files, and leave out the version and sizes of texts.

    The size of a file whose values or text are compared goes with its contents; it is left out
    where it is what it says.
    """
    if isinstance(value, dict):
        found = {key: settle(inner, tree, findings) for key, inner in value.items()}
        if isinstance(value.get("sha256"), str) and "size" in value:
            of = tree.name_hash(value["sha256"])
            if of and kind_of(of) != BYTES and tree.size_of(of) == value["size"]:
                found["size"] = "<its size>"
                findings.mask("sizes of files that are compared as values or text")
        return found
    if isinstance(value, list):
        return [settle(inner, tree, findings) for inner in value]
    return settle_text(value, tree, findings) if isinstance(value, str) else value


def settle_text(text: str, tree: Tree, findings: Findings) -> str:
    """Write names for sha256 of recorded files; leave out the version and the record's place."""
    text, named = tree.name_hashes(text)
    findings.mask("the record's own place, in absolute paths", text.count(tree.place))
    text = text.replace(tree.place, "<record>")
    findings.mask("sha256 of recorded files, compared by the file's name", named)
    for said in (f"assay {tree.version}", f"assay, version {tree.version}"):
        findings.mask("assay's version", text.count(said))
        text = text.replace(said, said.replace(tree.version, "<version>"))
    return text


def flatten(value: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, Any]]:
    """Yield each value that holds no others, with its path; an empty list or object is one."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from flatten(inner, (*path, key))
    elif isinstance(value, list) and value:
        for place, inner in enumerate(value):
            yield from flatten(inner, (*path, place))
    else:
        yield path, value


def _mask(name: str, side: dict[ValuePath, Any], findings: Findings) -> dict[ValuePath, Any]:
    kept = {}
    for path, leaf in side.items():
        mask = next((mask for mask in MASKS if hides(mask, name, path)), None)
        if mask is not None:
            findings.mask(mask.name)
        kept[path] = leaf if mask is None else "<masked>"
    return kept


def _is_same(name: str, path: ValuePath, one: Any, other: Any, tables: Tables) -> bool:
    if type(one) is not type(other):
        return False
    if one == other or (one != one and other != other):
        return True
    if isinstance(one, float):
        for number in tables.numbers:
            if number.allows(name, path):
                number.used += 1
                return math.isclose(one, other, rel_tol=_RELATIVE)
    return False


def show_path(path: ValuePath) -> str:
    """Write a path to people.

    >>> show_path(("arms", 0, "loss"))
    'arms[0].loss'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".") or "(the whole)"


def _show(value: Any) -> str:
    return value if value is _MISSING else json.dumps(value, ensure_ascii=False)
