"""Which product file imports which: everywhere in a file, inside functions too.

An arrow leads from the file that imports to the file whose code it names. `from assay.train
import loop` leads to `assay.train.loop`, `from assay import train_on` to where the hall's
`__init__` says that `train_on` lives, and so does `assay.train_on` after `import assay`. A room
lies at the repository's root, too: `import train.loop`, which works there alone, leads to
`assay.train.loop`.

That Python runs the `__init__` of every folder on the way is no arrow. What is not seen: a module
whose name is put together at run time, and `getattr(assay, name)`.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tests.structure.tree import FUNCTIONS, HALL, ROOMS, File


class Kind(StrEnum):
    """How a file names another."""

    PLAIN = "plain"
    INSIDE = "inside a function"
    TYPES = "for type checkers alone"
    TEXT = "by a text, as for import_module"


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """`source` imports `target`; a pair has an arrow for each kind."""

    source: str
    target: str
    kind: Kind


def find_arrows(files: dict[str, File]) -> set[Arrow]:
    """Return the arrows between product files.

    Raises:
        ValueError: A file imports relatively.
    """
    homes = _find_homes(files)
    arrows: set[Arrow] = set()
    for file in files.values():
        for target, kind in _find_targets(file, files, homes):
            if target != file.module:
                arrows.add(Arrow(file.module, target, kind))
    return arrows


def _find_homes(files: dict[str, File]) -> dict[str, str]:
    """Return where the names live that the hall's `__init__` offers and loads on use."""
    if HALL not in files:
        return {}
    return {
        alias.asname or alias.name: node.module
        for node, kind in _walk(files[HALL].tree, Kind.PLAIN)
        if isinstance(node, ast.ImportFrom) and kind == Kind.TYPES and node.module in files
        for alias in node.names
    }


def _find_targets(
    file: File, files: dict[str, File], homes: dict[str, str]
) -> Iterator[tuple[str, Kind]]:
    for node, kind in _walk(file.tree, Kind.PLAIN):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [_name_in_hall(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(f"{file.module} imports relatively, in line {node.lineno}")
            module = _name_in_hall(node.module)
            names = [_find_home(module, alias.name, files, homes) for alias in node.names]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = [homes.get(node.attr, "")] if node.value.id == HALL else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            kind = Kind.TEXT
            plain_word = node.value in (HALL, *ROOMS)  # a split, a verb
            names = [] if plain_word else [_name_in_hall(node.value)]
        yield from ((name, kind) for name in names if name in files)


def _name_in_hall(module: str) -> str:
    """Return what a room's module is called that is named from the repository's root."""
    return f"{HALL}.{module}" if module.split(".")[0] in ROOMS else module


def _find_home(module: str, name: str, files: dict[str, File], homes: dict[str, str]) -> str:
    """Return the module to which `from module import name` leads."""
    if f"{module}.{name}" in files:
        return f"{module}.{name}"
    return homes.get(name, module) if module == HALL else module


def _walk(node: ast.AST, kind: Kind) -> Iterator[tuple[ast.AST, Kind]]:
    """Yield each node below, with what an import there would be."""
    for child in ast.iter_child_nodes(node):
        yield child, kind
        if isinstance(child, ast.If) and _asks_for_types(child.test):
            yield from _walk(ast.Module(child.body, []), Kind.TYPES)
            yield from _walk(ast.Module(child.orelse, []), kind)
        else:
            inside = isinstance(child, (*FUNCTIONS, ast.Lambda)) and kind == Kind.PLAIN
            yield from _walk(child, Kind.INSIDE if inside else kind)


def _asks_for_types(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
