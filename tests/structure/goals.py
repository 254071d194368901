"""The figures held against what may not grow, and against what is to be reached.

`limits.toml` has both. What may not grow is held at once. The goals are held once `asked` is
true; as long as it is false, one of them at least must be unmet, so that the switch cannot be
forgotten.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.structure.figures import close_over, count_folders, measure_room
from tests.structure.imports import Arrow
from tests.structure.tree import HALL, ROOMS, File
from tests.structure.twice import Excepted

_HERE = Path(__file__).parent


def read_toml(name: str) -> dict[str, Any]:
    """Read a table beside this file."""
    return tomllib.loads((_HERE / name).read_text(encoding="utf-8"))


def find_growth(files: dict[str, File], arrows: set[Arrow], limits: dict[str, Any]) -> list[str]:
    """Say each figure that is over the limit of its room, where there is one."""
    found = {room: measure_room(files, arrows, room) for room in (HALL, *ROOMS)}
    over = [
        (room, name, figure, limit)
        for name, field in (("arrows", "arrows"), ("folder_files", "fullest_files"))
        for room, limit in limits[name].items()
        if (figure := getattr(found[room], field)) > limit
    ]
    lines = [
        f"{room}: {name} is {figure}, at most {limit} allowed by limits.toml"
        for room, name, figure, limit in over
    ]
    loop = limits["loop"]
    closure = len(close_over(files, arrows, "train", loop["function"]))
    if closure > loop["closure"]:
        lines.append(f"train: {loop['function']} leads to {closure} files, over {loop['closure']}")
    return lines


def find_unmet(
    files: dict[str, File],
    arrows: set[Arrow],
    exceptions: list[Excepted],
    limits: dict[str, Any],
) -> list[str]:
    """Say each goal that is not reached, with its figure."""
    goal = limits["goal"]
    train = measure_room(files, arrows, "train")
    low, high = goal["train_packages"]
    lines = []
    if not low <= train.packages <= high:
        lines.append(f"train has {train.packages} packages, needed {low} to {high}")
    for what, figure, limit in (
        ("arrows between packages of train", train.package_arrows, goal["train_package_arrows"]),
        ("arrows between files of train", train.arrows, goal["train_arrows"]),
        (
            f"files that {limits['loop']['function']} leads to",
            len(close_over(files, arrows, "train", limits["loop"]["function"])),
            goal["loop_closure"],
        ),
        ("declared twice and still to go", sum(each.to_go for each in exceptions), 0),
    ):
        if figure > limit:
            lines.append(f"{what}: {figure:,}, needed at most {limit:,.0f}")
    return [*lines, *_find_crowded(files, goal["folder_files"])]


def _find_crowded(files: dict[str, File], limit: int) -> Iterator[str]:
    for room in (HALL, *ROOMS):
        for folder, number in count_folders(files, room).items():
            if number > limit:
                yield f"{folder} holds {number} files, needed at most {limit}"
