"""A diagnosis asked for again: it is made anew, in no time, and held against what was kept."""

from pathlib import Path

from assay.artifacts import Manifest
from assay.finished import find_finished, refuse


def holds_diagnosis(folder: Path, asked: Manifest) -> bool:
    """Tell whether a folder holds the diagnosis whose manifest this is; False if none is finished.

    The texts decide, too: of a config, a checkpoint or a folder that was named, only that is kept.

    Raises:
        UsageError: The folder holds something else; the message names what differs.
        IntegrityError: A file in it is missing, or is not what its manifest says.
    """
    found = find_finished(
        folder,
        asked.kind,
        settings=asked.settings,
        inputs=asked.inputs,
        word_rule=None,
        tokenizer=None,
        parents=asked.parents,
        told=[entry.name for entry in asked.outputs],
    )
    if found is None:
        return False
    if found.outputs != asked.outputs:
        raise refuse(folder, "which says something else: a file that was named has changed")
    return True
