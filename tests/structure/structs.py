"""Structs that are declared twice, told by the names of their fields.

A struct is a class whose body annotates fields: msgspec's, dataclasses, typed dicts, named
tuples, plain ones. Class variables are no fields, inherited fields are declared by the base alone,
and a protocol declares what others hold on purpose.

Two structs are copies where four fifths of the smaller one's fields are the other's, too: of the
smaller, because a copy is most often cut down to what its reader needs. Fewer than four fields
agree by chance; with three fields two are copies only if the class is called the same.

What is not seen: fields that were renamed, a dict in a struct's place, `self.x = ...` without an
annotation, `namedtuple("T", "a b")`.
"""

import ast
from dataclasses import dataclass
from itertools import combinations

from tests.structure.tree import File

MIN_FIELDS = 4
MIN_FIELDS_OF_NAMESAKES = 3


@dataclass(frozen=True, slots=True)
class Declared:
    """A struct: its room, its qualified name, its fields."""

    module: str
    room: str
    name: str
    fields: frozenset[str]

    @property
    def key(self) -> str:
        """Room and name, which stay the same where a file moves within its room."""
        return f"{self.room}:{self.name}"


@dataclass(frozen=True, slots=True)
class Copies:
    """Two structs that share most of the smaller one's fields."""

    one: Declared
    other: Declared

    @property
    def keys(self) -> tuple[str, ...]:
        """Both structs' keys, sorted."""
        return tuple(sorted((self.one.key, self.other.key)))

    def __str__(self) -> str:
        shared = len(self.one.fields & self.other.fields)
        sides = (f"{each.module}.{each.name}" for each in (self.one, self.other))
        sizes = f"{len(self.one.fields)} and {len(self.other.fields)} fields"
        return f"{' and '.join(sides)}: {shared} shared of {sizes}"


def find_copies(files: dict[str, File]) -> list[Copies]:
    """Return each pair of structs that are copies."""
    pairs = combinations(list_structs(files), 2)
    return [Copies(one, other) for one, other in pairs if _are_copies(one, other)]


def _are_copies(one: Declared, other: Declared) -> bool:
    shared = len(one.fields & other.fields)
    smaller = min(len(one.fields), len(other.fields))
    namesakes = one.name.split(".")[-1] == other.name.split(".")[-1]
    least = MIN_FIELDS_OF_NAMESAKES if namesakes else MIN_FIELDS
    return smaller >= least and 5 * shared >= 4 * smaller


def list_structs(files: dict[str, File]) -> list[Declared]:
    """Return every class that annotates fields, in the order of files and lines."""
    found: list[Declared] = []

    def visit(node: ast.AST, file: File, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.ClassDef):
                inner = f"{prefix}{child.name}."
                fields = frozenset(_list_fields(child))
                if fields:
                    name = f"{prefix}{child.name}"
                    found.append(Declared(file.module, file.room, name, fields))
            visit(child, file, inner)

    for file in files.values():
        visit(file.tree, file, "")
    return found


def _list_fields(node: ast.ClassDef) -> list[str]:
    bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
    if "Protocol" in bases:
        return []
    return [
        statement.target.id
        for statement in node.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and "ClassVar" not in ast.unparse(statement.annotation)
    ]
