"""A command given again: where its folder is finished, and of the same inputs and settings."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

import assay
from assay.artifacts import MANIFEST, FileEntry, Manifest, check_file, read_manifest
from assay.errors import InputError, UsageError


def find_finished(
    folder: Path,
    kind: str,
    *,
    settings: dict[str, Any],
    inputs: Iterable[FileEntry],
    word_rule: str | None,
    tokenizer: dict[str, Any] | None,
    parents: dict[str, str] | None = None,
) -> Manifest | None:
    """Return the manifest of a folder that the same command finished; None if none is finished.

    Arguments are what the manifest would hold. `inputs` are asked for last, one by one: their
    sha256 takes reading them.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or its size is not its manifest's.
    """
    if not (folder / MANIFEST).exists():
        return None
    try:
        found = read_manifest(folder)
    except InputError as error:
        raise _refuse(folder, "whose manifest cannot be read") from error
    recipe = settings, word_rule, tokenizer, parents or {}
    if what := next(_find_differences(found, kind, recipe, inputs), ""):
        raise _refuse(folder, what)
    for entry in found.outputs:
        check_file(folder, entry, hashes=False)
    return found


def _find_differences(
    found: Manifest,
    kind: str,
    recipe: tuple[dict[str, Any], str | None, dict[str, Any] | None, dict[str, str]],
    inputs: Iterable[FileEntry],
) -> Iterator[str]:
    """Say in what a manifest differs; what is dear to find out comes last."""
    settings, word_rule, tokenizer, parents = recipe
    tool = f"assay {assay.__version__}"
    if found.kind != kind:
        yield f"of kind {found.kind}"
    if found.tool != tool:
        yield f"by {found.tool}, this is {tool}"
    if changed := _find_changed(found.settings, settings):
        # Splits are one a shard.
        only_inputs = changed == ["splits"]
        yield "of other inputs" if only_inputs else f"with other settings ({', '.join(changed)})"
    if (found.word_rule, found.tokenizer) != (word_rule, tokenizer):
        yield "by another word rule or tokenizer"
    if found.parents != parents:
        yield f"made from another {' or '.join(parents or found.parents)}"
    if not _are_same(found.inputs, inputs):
        yield "of other inputs"


def _refuse(folder: Path, what: str) -> UsageError:
    return UsageError(
        f"{folder} holds a finished run already, {what}; name another -o, or remove it"
    )


def _find_changed(found: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """Name the settings that differ from those of a manifest, which were JSON meanwhile."""
    wanted = as_json(asked)
    names = [*found, *(name for name in wanted if name not in found)]
    missing = object()
    return [name for name in names if found.get(name, missing) != wanted.get(name, missing)]


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
