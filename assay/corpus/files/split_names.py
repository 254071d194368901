"""Splits told from names, by the conventions of Hugging Face, llm.c, modded-nanogpt, TinyStories.

Hugging Face's `datasets` looks for these words in the names of files and folders, between digits
and `-`, `.`, `_` or spaces; the others write `fineweb_val_000000.bin`, `TinyStoriesV2-GPT4-valid`.
A word within a word says nothing: `validated_by`, `devops`, `testimonials`. Hugging Face also takes
`evaluation` for test, which here is taken for a topic.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

TRAIN, VAL, TEST = "train", "val", "test"
_SPLITS = {
    "train": TRAIN,
    "training": TRAIN,
    "val": VAL,
    "valid": VAL,
    "validation": VAL,
    "dev": VAL,
    "test": TEST,
    "testing": TEST,
    "eval": TEST,
}
_WORD = re.compile(r"[^\W\d_]+")


def read_split(names: Sequence[str]) -> str | None:
    """Tell the split from names, the file's last and those of folders before it; None: not told.

    The file's own name counts, and that of the nearest folder that tells one. Where they tell
    several, train goes before val, and val before test.

    >>> read_split(["fineweb_val_000000.bin"]), read_split(["validation", "0000.parquet"])
    ('val', 'val')
    >>> read_split(["train", "software-dev.parquet"]), read_split(["devops", "evaluation.parquet"])
    ('train', None)
    """
    told = _read_name(names[-1])
    told |= next((found for name in reversed(names[:-1]) if (found := _read_name(name))), set())
    return next((split for split in (TRAIN, VAL, TEST) if split in told), None)


def _read_name(name: str) -> set[str]:
    return {_SPLITS[word] for word in _WORD.findall(name.lower()) if word in _SPLITS}


def tell_splits(files: Sequence[tuple[Path, Path]]) -> list[str | None]:
    """Tell the split of each file, from what its path does not share with all others.

    Args:
        files: Paths, each with the folder that was named, or in which the file that was named lies.
            That folder's name counts as it was written, and no name above it: not those of the
            working directory.

    So where `data/val` alone was named, its name says nothing, and beside `data/train` it does.
    """
    parents = [Path(os.path.abspath(path)).parent for path, _ in files]
    shared = len(Path(os.path.commonpath(parents)).parts) if files else 0
    told = []
    for (path, top), parent in zip(files, parents, strict=True):
        names = [*top.parts[-1:], *path.parts[len(top.parts) :]]
        told.append(read_split(names[-(len(parent.parts) + 1 - shared) :]))
    return told
