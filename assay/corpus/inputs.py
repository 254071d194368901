"""Inputs: the files that paths, folders and glob patterns name, each with its split."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from assay.corpus.files.expand import expand_inputs
from assay.corpus.files.folder import Found
from assay.corpus.files.split_names import TEST, TRAIN, VAL, tell_splits
from assay.errors import UsageError
from assay.terminal.numbers import count
from assay.terminal.text import show_line

_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files to audit, and what was decided about which.

    Attributes:
        files: Each with its split, "train" or "val", in the order given; names of a folder sorted.
        told: The files whose names say "val" or "test", by split. The first are among `files`, the
            others are set apart.
        left_out: Files and folders that are no shards, by reason.
        repeats: Names of files that have another, or stand twice, each with the name that counts.
        notes: What else is to be said, a line each.
    """

    files: list[tuple[Path, str]]
    told: dict[str, list[Path]] = field(default_factory=dict)
    left_out: dict[str, list[Path]] = field(default_factory=dict)
    repeats: list[tuple[Path, Path]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def has_val(self) -> bool:
        """Whether any file holds validation documents."""
        return any(split == VAL for _, split in self.files)

    def describe(self) -> list[str]:
        """Say what was decided, a line each; nothing where all files are what was named."""
        lines = list(self.notes)
        if said := [
            f"{what} by name: {_list_some(self.told[split])}"
            for split, what in ((VAL, "val"), (TEST, "test (set apart, not read)"))
            if split in self.told
        ]:
            lines.append(f"{'; '.join(said)}; assay audit ... --all-train takes all as train")
        lines += [
            f"left out, {reason}: {_list_some(paths)}" for reason, paths in self.left_out.items()
        ]
        if self.repeats:
            lines.append(f"named more than once, counted once: {_list_repeats(self.repeats)}")
        return lines


def list_inputs(
    inputs: Iterable[str | Path], val: Iterable[str | Path] = (), *, all_train: bool = False
) -> Inputs:
    """Expand files, folders and globs to files, and tell which of them are for validation.

    A folder gives its shards at any depth; names that begin with `_` or `.` are left out, as are
    files that are not live in a Delta table. Files of `val` are for validation, also where they lie
    in a folder of `inputs`. Of the others, names tell (`files.split_names`): validation files are
    of split "val", test files are set apart. Where that would leave nothing to train on, names say
    nothing. A link is followed once; a file named twice counts once.

    Args:
        inputs: The training documents, and what lies among them.
        val: The validation documents.
        all_train: Let names tell nothing.

    Raises:
        UsageError: A path does not exist, a pattern or folder holds no shard, or all of `inputs` is
            in `val`.
    """
    named, held = expand_inputs(inputs), expand_inputs(val)
    in_val = {_identify(path) for path in held.files}
    files = [path for path in named.files if _identify(path) not in in_val]
    if not files and held.files:
        raise UsageError(f"{held.files[0]} is named both for train and for val", "val")
    splits = [None] * len(files) if all_train else tell_splits([(f, named.tops[f]) for f in files])
    notes = named.notes + held.notes
    if files and all(split in (VAL, TEST) for split in splits):
        notes.append(f"all files are named for val or test: taken as {TRAIN}")
        splits = [None] * len(files)
    told = {
        split: [path for path, its in zip(files, splits, strict=True) if its == split]
        for split in (VAL, TEST)
        if split in splits
    }
    kept = [
        (path, VAL if split == VAL else TRAIN)
        for path, split in zip(files, splits, strict=True)
        if split != TEST
    ]
    return Inputs(
        files=kept + [(path, VAL) for path in held.files],
        told=told,
        left_out=_join_left_out(named, held),
        repeats=named.repeats + held.repeats,
        notes=notes,
    )


def _identify(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino


def _join_left_out(*found: Found) -> dict[str, list[Path]]:
    """Join what was left out, by reason; each path once."""
    reasons = dict.fromkeys(reason for each in found for reason in each.left_out)
    joined = {
        reason: list(dict.fromkeys(path for each in found for path in each.left_out[reason]))
        for reason in reasons
    }
    return {reason: paths for reason, paths in joined.items() if paths}


def _list_some(paths: Sequence[Path]) -> str:
    """Name the first few of some files, and how many there are."""
    named = ", ".join(show_line("/".join(path.parts[-2:]), 200) for path in paths[:_MAX_NAMED])
    return named + (f" and {count(more)} more" if (more := len(paths) - _MAX_NAMED) > 0 else "")


def _list_repeats(repeats: Sequence[tuple[Path, Path]]) -> str:
    """List names of shards that have another, or stand twice; the first few."""
    listed = [
        show_line(str(name), 200) + (f" (is {show_line(str(first), 200)})" if name != first else "")
        for name, first in repeats[:_MAX_NAMED]
    ]
    more = len(repeats) - len(listed)
    return ", ".join(listed) + (f" and {count(more)} more" if more else "")
