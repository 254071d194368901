"""The committed tables of what a newer version calls otherwise: keys, numbers, sentences.

Each entry counts how often it was used; one that was not is stale, and the comparison says so.
"""

import html
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ANY_KEY, ANY_PLACE = "*", "#"
Step = str | int  # of a path into JSON: a key, or a place in a list
ValuePath = tuple[Step, ...]


@dataclass(slots=True)
class Key:
    """A value that moved: `old` and `new` are paths, `*` any key and `#` any place in a list.

    The path may go on below; wildcards of `new` take in turn what those of `old` met.
    """

    file: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    used: int = 0

    def move(self, name: str, path: ValuePath) -> ValuePath:
        """Return a value's new path; the same one where this entry is not about it."""
        if not fnmatchcase(name, self.file) or not starts_with(path, self.old):
            return path
        self.used += 1
        met = iter([path[at] for at, part in enumerate(self.old) if part in (ANY_KEY, ANY_PLACE)])
        moved = [next(met) if part in (ANY_KEY, ANY_PLACE) else part for part in self.new]
        return (*moved, *path[len(self.old) :])


@dataclass(slots=True)
class Number:
    """Numbers that a named routine may give otherwise in the last digits: 1e-9, relative."""

    file: str
    path: tuple[str, ...]
    routine: str
    used: int = 0

    def allows(self, name: str, path: ValuePath) -> bool:
        """Whether a value is one of these numbers."""
        same = len(path) == len(self.path) and starts_with(path, self.path)
        return same and fnmatchcase(name, self.file)


@dataclass(slots=True)
class Added:
    """Values that the new version alone writes, at a path and below it; `reason` says why."""

    file: str
    path: tuple[str, ...]
    reason: str
    used: int = 0

    def allows(self, name: str, path: ValuePath) -> bool:
        """Whether a value is one of these; counted where it is."""
        found = fnmatchcase(name, self.file) and starts_with(path, self.path)
        self.used += found
        return found


@dataclass(slots=True)
class Code:
    """An exit code that the old version had wrong; `reason` says what was mended.

    `left` are the files and folders that the old version left behind where it failed.
    """

    case: str
    old: int
    new: int
    reason: str
    left: tuple[str, ...] = ()
    used: int = 0

    def allows(self, case: str, old: int, new: int) -> bool:
        """Whether these are the codes; counted where they are."""
        found = (case, old, new) == (self.case, self.old, self.new)
        self.used += found
        return found


@dataclass(slots=True)
class Sentence:
    """Words that became others: literal, with any white space between them, or a pattern."""

    old: str
    new: str
    where: str = "*"
    regex: bool = False
    used: int = 0
    _patterns: list[tuple[re.Pattern[str], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        pairs = [(self.old, self.new)]
        if not self.regex:
            escaped = html.escape(self.old), html.escape(self.new)
            pairs += [escaped] if escaped[0] != self.old else []
            marked = [_escape_as_jinja(text) for text in escaped]
            pairs += [(marked[0], marked[1])] if marked[0] != escaped[0] else []
            markdown = _escape_markdown(self.old), _escape_markdown(self.new)
            pairs += [markdown] if markdown[0] != self.old else []
        for old, new in pairs:
            words = old if self.regex else r"\s+".join(map(re.escape, old.split()))
            self._patterns.append((re.compile(words), new))

    def apply(self, name: str, text: str) -> str:
        """Write the new words for the old ones."""
        if not fnmatchcase(name, self.where):
            return text
        for pattern, new in self._patterns:
            text, times = pattern.subn(new if self.regex else lambda _, new=new: new, text)
            self.used += times
        return text


def _escape_markdown(text: str) -> str:
    """Escape what a page in Markdown escapes."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~$&@-])", r"\\\1", text)


def _escape_as_jinja(escaped: str) -> str:
    return escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


@dataclass(slots=True)
class Tables:
    """All entries."""

    keys: list[Key] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)
    added: list[Added] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)

    def left_behind(self, case: str) -> set[str]:
        """Name what the old version alone left in a case's folder."""
        return {name for each in self.codes if each.case == case for name in each.left}

    def list_stale(self) -> list[str]:
        """Name the entries that were not used."""
        stale = [f"keys.toml: {'.'.join(each.old)}" for each in self.keys if not each.used]
        stale += [f"keys.toml: {each.routine}" for each in self.numbers if not each.used]
        stale += [f"keys.toml: {each.reason}" for each in self.added if not each.used]
        stale += [f"keys.toml: {each.reason}" for each in self.codes if not each.used]
        return stale + [f"sentences.toml: {each.old}" for each in self.sentences if not each.used]


def read_tables(folder: Path = HERE) -> Tables:
    """Read `keys.toml` and `sentences.toml`."""
    keys = tomllib.loads((folder / "keys.toml").read_text())
    sentences = tomllib.loads((folder / "sentences.toml").read_text())
    return Tables(
        [Key(e.get("file", "*"), split(e["old"]), split(e["new"])) for e in keys.get("key", [])],
        [Number(e["file"], split(e["path"]), e["routine"]) for e in keys.get("number", [])],
        [Sentence(**_fields(entry)) for entry in sentences.get("sentence", [])],
        [Added(e["file"], split(e["path"]), e["reason"]) for e in keys.get("added", [])],
        [Code(**e | {"left": tuple(e.get("left", ()))}) for e in keys.get("code", [])],
    )


def _fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := set(entry) - {"old", "new", "where", "regex"}:
        raise SystemExit(f"sentences.toml has {', '.join(sorted(unknown))}; known are old, new, "
                         "where, regex")  # fmt: skip
    return dict(entry)


def split(path: str) -> tuple[str, ...]:
    """Split a path as the tables write it.

    >>> split("arms.#.loss")
    ('arms', '#', 'loss')
    """
    return tuple(path.split("."))


def starts_with(path: ValuePath, pattern: tuple[str, ...]) -> bool:
    """Whether a path begins as a pattern says.

    >>> starts_with(("arms", 0, "loss"), ("arms", "#"))
    True
    """
    return len(path) >= len(pattern) and all(
        part == step or (part == ANY_PLACE if isinstance(step, int) else part == ANY_KEY)
        for step, part in zip(path, pattern, strict=False)
    )
