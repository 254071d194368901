"""The folder of a diagnosis: written once, and recognised when the same command is run again."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from assay.storage.manifest import FileEntry
from assay.storage.publish import publish_bytes
from assay.storage.recipe import Recipe, refuse
from assay.storage.sealed_folder import claim_folder


def keep_diagnosis(
    folder: Path, recipe: Recipe, inputs: Sequence[FileEntry], files: Mapping[str, bytes]
) -> None:
    """Write a sealed folder; where it holds this very diagnosis already, nothing is written.

    The texts decide, too: of a config, a checkpoint or a folder that was named, only that is kept.

    Args:
        folder: New, unfinished, or of the same recipe.
        recipe: Settings and parents.
        inputs: The log.
        files: Contents by name.

    Raises:
        UsageError: The folder is in use, or holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    entries = [
        FileEntry(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in files.items()
    ]
    found = recipe.find_finished(folder, inputs)
    if found is not None:
        if found.outputs != entries:
            raise refuse(folder, "which says something else: a file that was named has changed")
        return
    with claim_folder(folder, "diagnosis", resumes=False):
        for name, data in files.items():
            publish_bytes(folder / name, data)
        recipe.seal(folder, inputs=inputs, outputs=entries)
