"""What may import what.

The rules, which hold for imports inside functions too; what only type checkers see is listed:

- No circle between files.
- No room imports another, the hall (`assay/`) imports no room: not even for type checkers, nor
  by a text. The hall's `__init__.py` alone names rooms, to type checkers and by texts, and its
  `cli.py` by texts: they load on use.
- A folder with packages names them all in its `__init__`, in their order: `PACKAGES = ("a", "b")`.
  None imports a later one, neither straight nor by way of the folder's loose files. So a loose
  file needs no place in the order: `errors.py`, which imports nothing, lies below all packages,
  `cli.py` above them. A package that leads back to itself by way of loose files breaks the rule.

The rule for packages holds at every depth: in the hall, in a room, in a package of packages.
"""

import ast
from collections import defaultdict

from tests.structure.imports import Arrow, Kind
from tests.structure.tree import HALL, File

COUNTED = (Kind.PLAIN, Kind.INSIDE)
_NAME_ROOMS = ((HALL, Kind.TYPES), (HALL, Kind.TEXT), (f"{HALL}.cli", Kind.TEXT))

Graph = dict[str, set[str]]


def link(arrows: set[Arrow], kinds: tuple[Kind, ...] = COUNTED) -> Graph:
    """Return the targets of each source."""
    graph: Graph = defaultdict(set)
    for arrow in arrows:
        if arrow.kind in kinds:
            graph[arrow.source].add(arrow.target)
    return graph


def find_circles(arrows: set[Arrow]) -> list[str]:
    """Say each set of files that lead to each other: one line a set, a way round it."""
    graph = link(arrows)
    reached = {module: reach(graph, module) for module in graph}
    said, lines = set(), []
    for module in sorted(graph):
        if module in reached[module] and module not in said:
            said |= {other for other in reached[module] if module in reached.get(other, ())}
            lines.append("circle: " + " -> ".join(_find_way(graph, module, module)))
    return lines


def reach(graph: Graph, start: str) -> set[str]:
    """Return all that `start` leads to; itself only where it lies on a circle."""
    seen: set[str] = set()
    waiting = list(graph.get(start, ()))
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += graph.get(module, ())
    return seen


def _find_way(graph: Graph, start: str, end: str) -> list[str]:
    """Return a shortest way from `start` to `end`, of one step at least."""
    came: dict[str, str] = {}
    waiting = [start]
    for module in waiting:
        for target in sorted(graph.get(module, ())):
            if target == end:
                way = [end, module]
                while way[-1] != start:
                    way.append(came[way[-1]])
                return way[::-1]
            if target not in came and target != start:
                came[target] = module
                waiting.append(target)
    raise ValueError(f"no way leads from {start} to {end}")


def find_crossings(files: dict[str, File], arrows: set[Arrow]) -> list[str]:
    """Say each import of a room by another room, or by the hall."""
    lines = []
    for arrow in sorted(arrows):
        source, target = files[arrow.source].room, files[arrow.target].room
        allowed = (arrow.source, arrow.kind) in _NAME_ROOMS
        if target not in (source, HALL) and not allowed:
            lines.append(f"{arrow.source} imports {arrow.target} ({arrow.kind})")
    return lines


def find_disorder(files: dict[str, File], arrows: set[Arrow]) -> list[str]:
    """Say each folder whose `PACKAGES` is not the order of its packages."""
    graph = link(arrows)
    lines = []
    for folder in sorted({file.folder for file in files.values()}):
        there = list_packages(files, folder)
        declared = read_packages(files, folder)
        if sorted(declared) != there:
            held = ", ".join(there) or "none"
            lines.append(f"{folder}: PACKAGES names {declared}, the folder holds {held}")
        for place, package in enumerate(declared):
            earlier = declared[:place]
            for target in sorted(_lean(files, graph, folder, package)):
                if target not in earlier:
                    lines.append(f"{folder}: {package} leans on {target}, which is not before it")
    return lines


def list_packages(files: dict[str, File], folder: str) -> list[str]:
    """Return the names of the folders with code right inside a folder; the hall holds no room."""
    room = _room_of(files, folder)
    inside = {
        file.folder.removeprefix(f"{folder}.").split(".")[0]
        for file in files.values()
        if file.folder.startswith(f"{folder}.") and file.room == room
    }
    return sorted(inside)


def read_packages(files: dict[str, File], folder: str) -> tuple[str, ...]:
    """Return the tuple that a folder's `__init__` calls `PACKAGES`; empty without one."""
    front = files.get(folder)
    for node in front.tree.body if front else ():
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id == "PACKAGES" for each in targets):
                return tuple(ast.literal_eval(node.value))
    return ()


def _room_of(files: dict[str, File], folder: str) -> str:
    return next(file.room for file in files.values() if file.folder == folder)


def _lean(files: dict[str, File], graph: Graph, folder: str, package: str) -> set[str]:
    """Return the packages of a folder to which one of them leads, straight or by loose files."""
    home = f"{folder}.{package}"
    waiting = [module for module, file in files.items() if f"{file.folder}.".startswith(f"{home}.")]
    seen, found = set(waiting), set()
    for module in waiting:
        loose = files[module].folder == folder
        for target in graph.get(module, ()):
            unit = name_unit(files[target], folder)
            if unit == "." and target not in seen:
                seen.add(target)
                waiting.append(target)
            elif unit not in (None, ".") and (loose or unit != package):
                found.add(str(unit))
    return found


def name_unit(file: File, folder: str) -> str | None:
    """Return the package of `folder` in which a file lies, `.` for a loose file, None outside."""
    if file.folder == folder:
        return "."
    if not file.folder.startswith(f"{folder}."):
        return None
    if folder == HALL and file.room != HALL:
        return None
    return file.folder.removeprefix(f"{folder}.").split(".")[0]
