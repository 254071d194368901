"""A diagnosis asked for again: it is made anew, in no time, and held against what was kept."""

from collections.abc import Sequence
from pathlib import Path

from assay.storage.manifest import FileEntry
from assay.storage.recipe import Recipe, refuse


def holds_diagnosis(
    folder: Path, recipe: Recipe, inputs: Sequence[FileEntry], outputs: Sequence[FileEntry]
) -> bool:
    """Tell whether a folder holds the diagnosis of this recipe; False if none is finished.

    The texts decide, too: of a config, a checkpoint or a folder that was named, only that is kept.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    found = recipe.find_finished(folder, inputs)
    if found is None:
        return False
    if found.outputs != list(outputs):
        raise refuse(folder, "which says something else: a file that was named has changed")
    return True
