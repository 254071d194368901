"""A command given again: where its folder is finished, and of the same inputs and settings."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import assay
from assay.artifacts import MANIFEST, FileEntry, Manifest, check_file, read_manifest
from assay.console import show_line
from assay.errors import InputError, UsageError

_INSIDE = "runs/"  # begins the names of parents that lie in the folder itself
_OTHER_INPUTS = "of other inputs"
_SPLITS = "splits"  # a setting that is one a shard: other inputs
_SHOWN = {"settings": "arms"}  # a comparison's own key: what sets each arm apart
# What a folder was made from, as a message names it where it is another; else "another NAME".
_OTHERS = {
    "bins": "other bins",
    "init": "other weights",
    "old": "other old data",
    "new": "other new data",
    "held out": "other held-out data",
    "also": "another second set",
}


def find_finished(
    folder: Path,
    kind: str,
    *,
    settings: dict[str, Any],
    inputs: Iterable[FileEntry],
    word_rule: str | None,
    tokenizer: dict[str, Any] | None,
    parents: dict[str, str] | None = None,
    free: Collection[str] = (),
    told: Collection[str] = (),
) -> Manifest | None:
    """Return the manifest of a folder that the same command finished; None if none is finished.

    Arguments are what the manifest would hold, of its parents those outside of the folder.
    `inputs` are asked for last, one by one: their sha256 takes reading them. Of the settings
    under `config` those that are `free` may differ. Files that are to be `told` are hashed.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or its size, or the sha256 of one that is told,
            is not its manifest's.
    """
    if not (folder / MANIFEST).exists():
        return None
    try:
        found = read_manifest(folder)
    except InputError as error:
        raise refuse(folder, "whose manifest cannot be read") from error
    changed = find_changed(found.settings, settings, free)
    recipe = changed, word_rule, tokenizer, parents or {}
    what = list(_find_differences(found, kind, recipe))
    if not what and not _are_same(found.inputs, inputs):  # takes reading them: asked last
        what = [_OTHER_INPUTS]
    if what:
        raise refuse(folder, ", ".join(what))
    for entry in found.outputs:
        check_file(folder, entry, hashes=entry.name in told)
    return found


def _find_differences(
    found: Manifest,
    kind: str,
    recipe: tuple[list[str], str | None, dict[str, Any] | None, dict[str, str]],
) -> Iterator[str]:
    """Say in what a manifest differs, but for its inputs' contents."""
    changed, word_rule, tokenizer, parents = recipe
    tool = f"assay {assay.__version__}"
    if found.kind != kind:  # nothing else can be held against it
        yield f"of kind {found.kind}"
        return
    if found.tool != tool:
        yield f"by {found.tool}, this is {tool}"
    if named := [name for name in changed if name != _SPLITS]:
        yield f"with other settings ({', '.join(named)})"
    if (found.word_rule, found.tokenizer) != (word_rule, tokenizer):
        yield "by another word rule or tokenizer"
    if others := _find_others(found.parents, parents):
        yield f"made from {' and '.join(others)}"
    if _SPLITS in changed:
        yield _OTHER_INPUTS


def refuse(folder: Path, what: str) -> UsageError:
    """Make the error that says what of a finished folder differs from what is asked for."""
    return UsageError(
        f"{folder} holds a finished run already, {what}; name another -o, or remove it"
    )


def say_again(folder: Path, what: str, done: str) -> str:
    """Say that a folder is told again.

    >>> say_again(Path("run"), "run", "trained")
    'run holds this run already: nothing is trained anew'
    """
    return f"{show_line(str(folder), 200)} holds this {what} already: nothing is {done} anew"


def find_changed(
    found: dict[str, Any], asked: dict[str, Any], free: Collection[str] = ()
) -> list[str]:
    """Name the settings that differ from those of a manifest, which were JSON meanwhile.

    >>> find_changed({"config": {"seed": 0, "device": "cpu"}}, {"config": {"seed": 1}}, {"device"})
    ['seed']
    """
    wanted = as_json(asked)
    names = [*found, *(name for name in wanted if name not in found)]
    missing, changed = object(), []
    for name in names:
        one, other = found.get(name, missing), wanted.get(name, missing)
        if name == "config" and isinstance(one, dict) and isinstance(other, dict):
            changed += [inner for inner in find_changed(one, other) if inner not in free]
        elif one != other:
            changed.append(_SHOWN.get(name, name))
    return list(dict.fromkeys(changed))


def _find_others(found: dict[str, str], asked: dict[str, str]) -> list[str]:
    """Say of what a folder was made that is asked for otherwise."""
    known = {name: sha256 for name, sha256 in found.items() if not name.startswith(_INSIDE)}
    names = [*known, *(name for name in asked if name not in known)]
    return [
        _OTHERS.get(name, f"another {name}") for name in names if known.get(name) != asked.get(name)
    ]


def _are_same(found: list[FileEntry], inputs: Iterable[FileEntry]) -> bool:
    """Compare entries in order; those after the first that differs are not asked for."""
    asked = 0
    for entry in inputs:
        if asked >= len(found) or entry != found[asked]:
            return False
        asked += 1
    return asked == len(found)


def as_json(value: Any) -> Any:
    """Return a value as it comes back from a manifest.

    >>> as_json({"splits": ("train", "val")})
    {'splits': ['train', 'val']}
    """
    return msgspec.json.decode(msgspec.json.encode(value))
