"""The files that paths, folders and glob patterns name, each once."""

import glob
from collections.abc import Iterable
from pathlib import Path

from assay.corpus.conversions import advise_conversion
from assay.corpus.files.folder import HIDDEN, OTHER, Found, walk_folder
from assay.corpus.files.hidden import count_hidden
from assay.corpus.files.tables import find_dead
from assay.corpus.readers.formats import SUFFIXES
from assay.errors import UsageError

_MAGIC = "*?["


def expand_inputs(inputs: Iterable[str | Path]) -> Found:
    """Expand files, folders and globs, in the order given, names of a folder sorted.

    A link is followed once; a file named twice counts once, under its first name.

    Raises:
        UsageError: A path does not exist, or a pattern or folder holds no shard.
    """
    all_found = Found()
    seen: dict[tuple[int, int], Path] = {}
    for given in inputs:
        found = _expand(str(given))
        for reason, paths in found.left_out.items():
            all_found.left_out[reason] += paths
        all_found.notes += found.notes
        for path in found.files:
            if not path.exists():
                raise UsageError(f"{path} is a link to nothing; mend or remove it")
            stat = path.stat()
            key = stat.st_dev, stat.st_ino
            if key in seen:
                all_found.repeats.append((path, seen[key]))
            else:
                seen[key] = path
                all_found.files.append(path)
                all_found.tops[path] = found.tops.get(path, path.parent)
    return all_found


def _expand(text: str) -> Found:
    """Find the files that one input names."""
    if not text:
        raise UsageError("an input is an empty name; is a variable of the shell not set?")
    path, found = Path(text), Found()
    if path.is_dir():
        walk_folder(path, found)
        found.tops = dict.fromkeys(found.files, path)
    elif path.exists():
        found.files.append(path)
    elif any(mark in text for mark in _MAGIC):
        _match(text, found)
    else:
        raise UsageError(
            f"{text} does not exist; name a shard (parquet, JSON lines, Arrow, a .bin) or a folder"
        )
    if not found.files:
        raise UsageError(_describe_none(text, found))
    if not path.is_dir() and (dead := find_dead(found.files)):
        found.notes.append(
            f"{dead[0]} is not live in its Delta table; name its folder to read what is live"
        )
    return found


def _match(pattern: str, found: Found) -> None:
    """Add the files that a pattern matches; hidden ones only where it says so itself."""
    plain = Path(pattern).parts
    first = next(i for i, part in enumerate(plain) if any(mark in part for mark in _MAGIC))
    for match in map(Path, sorted(glob.glob(pattern, recursive=True))):
        if not match.is_file():
            continue
        if count_hidden(match) > count_hidden(pattern):
            found.left_out[HIDDEN].append(match)
        else:
            found.files.append(match)
            found.tops[match] = Path(*plain[:first])


def _describe_none(text: str, found: Found) -> str:
    """Say that an input holds no shard, what it holds instead, and how to convert that."""
    suffixes = ", ".join(SUFFIXES)
    if others := found.left_out[OTHER]:
        kinds = sorted({path.suffix for path in others})
        command = next(filter(None, map(advise_conversion, others)), "")
        way = f"; convert each: {command}" if command else ""
        return f"{text} holds no shard ({suffixes}), but {', '.join(kinds)} files{way}"
    hidden = len(found.left_out[HIDDEN])
    but = f"; {hidden} names that begin with _ or . were left out" if hidden else ""
    return f"{text} holds no shard ({suffixes}){but}"
