"""The figures of the import graph, room by room.

Arrows between files are distinct pairs of files of one room, `__init__` included, imports inside
functions and those for type checkers too. Arrows between packages are distinct pairs of the
room's packages, its loose files taken as one package more. A folder's files are counted without
its `__init__`. The layers are the files of the longest way along arrows that run, not those for
type checkers. The training loop's closure is every other file of its room that it leads to.
"""

from dataclasses import dataclass

from tests.structure.imports import Arrow, Kind
from tests.structure.order import Graph, link, list_packages, name_unit, reach
from tests.structure.tree import File, list_functions, room_name

SEEN = (Kind.PLAIN, Kind.INSIDE, Kind.TYPES)


@dataclass(frozen=True, slots=True)
class RoomFigures:
    """One room: `files` without any `__init__`; `fullest` is the folder with the most files."""

    room: str
    files: int
    packages: int
    package_arrows: int
    arrows: int
    layers: int
    fullest: str
    fullest_files: int


def measure_room(files: dict[str, File], arrows: set[Arrow], room: str) -> RoomFigures:
    """Count one room's files, packages and arrows."""
    here = {module for module, file in files.items() if file.room == room}
    own = {arrow for arrow in arrows if arrow.source in here and arrow.target in here}
    pairs = {(arrow.source, arrow.target) for arrow in own if arrow.kind in SEEN}
    home = room_name(room)
    between = {
        (name_unit(files[source], home), name_unit(files[target], home))
        for source, target in pairs
        if source != home
    }
    folders = count_folders(files, room)
    fullest = max(folders, key=lambda folder: folders[folder])
    return RoomFigures(
        room=room,
        files=sum(folders.values()),
        packages=len(list_packages(files, home)),
        package_arrows=sum(one != other for one, other in between),
        arrows=len(pairs),
        layers=_count_layers(link(own), here),
        fullest=fullest,
        fullest_files=folders[fullest],
    )


def count_folders(files: dict[str, File], room: str) -> dict[str, int]:
    """Count the files of each folder of a room, its `__init__` aside."""
    counts: dict[str, int] = {}
    for file in files.values():
        if file.room == room:
            counts[file.folder] = counts.get(file.folder, 0) + (not file.is_front)
    return counts


def _count_layers(graph: Graph, modules: set[str]) -> int:
    """Count the files of the longest way; 0 where there is a circle."""
    depth: dict[str, int] = {}
    waiting = set(modules)
    while waiting:
        ready = {module for module in waiting if not graph.get(module, set()) & waiting}
        if not ready:
            return 0
        for module in ready:
            depth[module] = 1 + max((depth[each] for each in graph.get(module, ())), default=0)
        waiting -= ready
    return max(depth.values(), default=0)


def close_over(files: dict[str, File], arrows: set[Arrow], room: str, function: str) -> set[str]:
    """Return the files of a room to which the file leads that defines a function, itself aside.

    Raises:
        ValueError: No file of the room, or more than one, defines the function at its top.
    """
    homes = [
        module
        for module, file in files.items()
        if file.room == room and function in dict(list_functions(file))
    ]
    if len(homes) != 1:
        raise ValueError(f"{len(homes)} files of {room} define {function}; one was needed")
    graph = link(arrows, SEEN)
    inside = {
        source: {target for target in targets if files[target].room == room}
        for source, targets in graph.items()
        if files[source].room == room
    }
    return reach(inside, homes[0]) - {homes[0]}
