"""Does a comparison see what it should? A record is changed in one thing at a time."""

import os
import shutil
import tempfile
from pathlib import Path

from bench.versions.carry import CASES, INPUTS
from bench.versions.compare import compare_trees
from bench.versions.mutations import MUTATIONS, Mutation
from bench.versions.run import RUN
from bench.versions.tables import Tables
from bench.versions.tree import Tree


def mutate_folder(record: Path) -> int:
    """Try every mutation on a copy of a record, print what was seen; 1 if one was missed."""
    old = Tree(record)
    if found := compare_trees(old, Tree(record), Tables()).differences:
        print(f"{record} differs from itself: {found[0].format()}")
        return 1
    wrong = 0
    with tempfile.TemporaryDirectory(dir=record.resolve().parent, prefix="mutate-") as folder:
        for mutation in MUTATIONS:
            wrong += not _try(mutation, old, Path(folder) / "new")
    seen = sum(mutation.seen for mutation in MUTATIONS)
    print(f"{seen} that must be seen, {len(MUTATIONS) - seen} that cannot be: {wrong} went wrong")
    return 1 if wrong else 0


def _try(mutation: Mutation, old: Tree, folder: Path) -> bool:
    """Change a copy and compare; print a line, and return whether it went as it should."""
    folder.mkdir()
    shutil.copytree(old.folder / CASES, folder / CASES, copy_function=os.link, symlinks=True)
    shutil.copytree(old.folder / INPUTS, folder / INPUTS, copy_function=os.link, symlinks=True)
    shutil.copy2(old.folder / RUN, folder / RUN)
    changed = mutation.change(folder / CASES)
    differences = compare_trees(old, Tree(folder), Tables()).differences
    shutil.rmtree(folder)
    case = changed.split("/")[0]
    # A record lists its files, so a file that is lost is told there, too.
    here = [each for each in differences if each.file in (changed, case)]
    right = bool(here) if mutation.seen else not differences
    told = f"{len(differences)} differences" if differences else "nothing"
    place = f", {here[0].place}" if here else ""
    print(f"{'ok' if right else 'WRONG':<6}{mutation.name}: {told}{place} ({changed})", flush=True)
    return right
