"""A version's record, read: its files by name, and the file that each sha256 stands for."""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from bench.versions.carry import CASES, FILES, INPUTS, RECORD, STDERR, STDOUT, read_files
from bench.versions.run import RUN

_SHORTEST = 12  # digits of a sha256 that messages quote
_HEX = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{12,64}(?![0-9a-zA-Z])")


class Tree:
    """What `run` left in a folder."""

    def __init__(self, folder: Path) -> None:
        if not (folder / RUN).is_file():
            raise SystemExit(f"{folder} has no {RUN}; name a folder that bench.versions run wrote")
        self.folder = folder
        self.facts: dict[str, Any] = json.loads((folder / RUN).read_text())
        self.nameless: dict[str, set[str]] = {}  # files by case that name no sha256

    @property
    def version(self) -> str:
        """The version that assay said it is."""
        return str(self.facts["assay"]["version"])

    @property
    def place(self) -> str:
        """Where the record was written: commands that name absolute paths print it."""
        return str(self.facts["out"])

    @cached_property
    def cases(self) -> list[str]:
        """Names of the cases that lie here: those of the run, in its order, then any others."""
        there = {path.name for path in (self.folder / CASES).iterdir()}
        named = [name for name in self.facts["cases"] if name in there]
        return [*named, *sorted(there - set(named))]

    def record(self, case: str) -> dict[str, Any]:
        """Return what is recorded of a case."""
        found: dict[str, Any] = json.loads((self.folder / CASES / case / RECORD).read_text())
        return found

    def read(self, name: str) -> bytes:
        """Return the contents of `CASE/stdout`, `CASE/stderr` or `CASE/files/...`."""
        path = self.folder / CASES / name
        return f"link to {path.readlink()}".encode() if path.is_symlink() else path.read_bytes()

    @cached_property
    def files(self) -> dict[str, str]:
        """The sha256 of each file that a command printed or wrote, by name."""
        return {
            f"{case}/{name}": sha256
            for case in self.cases
            for name, sha256 in read_files(self.folder / CASES / case).items()
            if name != RECORD
        }

    @cached_property
    def _names(self) -> dict[str, str]:
        """Which file a sha256 is of: the first by name, inputs before what commands wrote."""
        names: dict[str, str] = {}
        for sha256, name in self._list_hashes():
            names.setdefault(sha256, name)
        return names

    def _list_hashes(self) -> Iterator[tuple[str, str]]:
        for name, sha256 in self.facts["inputs"].items():
            yield sha256, f"{INPUTS}/{name}"
        for name, sha256 in self.files.items():
            case, _, file = name.partition("/")
            left = file.removeprefix(f"{FILES}/") in self.nameless.get(case, ())
            if not left and file not in (STDOUT, STDERR):
                yield sha256, name
        for case in self.cases:
            for name, sha256 in self.record(case)["given"].items():
                yield sha256, f"{case}/before/{name}"

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._names)

    def name_hash(self, digits: str) -> str | None:
        """Return the file whose sha256 is, or begins with, these digits; None if there is none."""
        if len(digits) == 64:
            return self._names.get(digits)
        if len(digits) < _SHORTEST:
            return None
        at = bisect_left(self._sorted, digits)
        found = self._sorted[at] if at < len(self._sorted) else ""
        return self._names[found] if found.startswith(digits) else None

    def name_hashes(self, text: str) -> tuple[str, int]:
        """Write the file's name for each sha256, or its beginning, in a text; count them."""
        count = 0

        def name(found: re.Match[str]) -> str:
            nonlocal count
            of = self.name_hash(found[0])
            count += of is not None
            return found[0] if of is None else f"<{len(found[0])} digits of sha256 of {of}>"

        return _HEX.sub(name, text), count

    def size_of(self, name: str) -> int | None:
        """Return the size of a file that was written; None of one that is not kept."""
        path = self.folder / CASES / name
        return path.stat().st_size if f"/{FILES}/" in name and path.is_file() else None
