"""Functions that are written twice: equal bodies once names and constants are forgotten.

A body of six statements or more, its docstring and annotations aside, is written down with every
name replaced by the place of its first use: locals, parameters, what is called, attributes,
keywords. A constant is replaced by its type. Two functions are copies where this is equal; so
copies are found that were renamed throughout and given other numbers.

What is not seen: copies that put a statement elsewhere, add one, or compute the same another way.
For those that compute, `formulas.py` looks at what is computed and not at the statements.
"""

import ast
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tests.structure.tree import (
    FUNCTIONS,
    File,
    Function,
    count_statements,
    drop_docstring,
    list_functions,
)

MIN_STATEMENTS = 6
_LEFT_OUT = ("ctx", "type_comment", "returns", "annotation", "kind", "type_params")


@dataclass(frozen=True, slots=True)
class SameBodies:
    """Functions whose bodies are equal; `places` are modules with qualified names."""

    keys: tuple[str, ...]
    places: tuple[str, ...]
    statements: int

    def __str__(self) -> str:
        return f"{' and '.join(self.places)}: {self.statements} equal statements"


def find_same_bodies(files: dict[str, File]) -> list[SameBodies]:
    """Return the groups of functions whose bodies are equal."""
    groups: dict[Any, list[tuple[File, str, int]]] = defaultdict(list)
    for file in files.values():
        for name, function in list_functions(file):
            statements = count_statements(drop_docstring(function))
            if statements >= MIN_STATEMENTS:
                groups[normalise(function)].append((file, name, statements))
    return [
        SameBodies(
            keys=tuple(sorted(f"{file.room}:{name}" for file, name, _ in group)),
            places=tuple(f"{file.module}.{name}" for file, name, _ in group),
            statements=group[0][2],
        )
        for group in groups.values()
        if len(group) > 1
    ]


def normalise(function: Function) -> Any:
    """Return a function's body as nested tuples without its names and constants."""
    places: dict[tuple[str, str], int] = {}

    def place(kind: str, name: str) -> tuple[str, int]:
        return kind, places.setdefault((kind, name), len(places))

    def write(value: Any, field: str = "") -> Any:
        if isinstance(value, list):
            return tuple(write(each, field) for each in value)
        if isinstance(value, str):
            # An attribute may be called like a local without being it.
            return place("attribute" if field in ("attr", "arg") else "name", value)
        if isinstance(value, ast.arg):
            return place("name", value.arg)
        if isinstance(value, ast.Constant):
            return "constant", type(value.value).__name__
        if isinstance(value, ast.AnnAssign):
            return "Assign", (write(value.target),), value.value and write(value.value)
        if not isinstance(value, ast.AST):
            return value
        fields = [(name, each) for name, each in ast.iter_fields(value) if name not in _LEFT_OUT]
        if isinstance(value, (*FUNCTIONS, ast.ClassDef)):
            fields = [(name, each) for name, each in fields if name != "body"]
            fields.append(("body", drop_docstring(value)))
        return type(value).__name__, *(write(each, name) for name, each in fields)

    return write(drop_docstring(function))
