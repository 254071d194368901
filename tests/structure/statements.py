"""How much code there is, and how it is cut and described, by room.

A statement is any node of Python's grammar of that name, at every depth: an `if` with two lines
is three, a `def` counts as one and so does each line of it. A docstring is none. A function's
length is its lines from `def` to the end, decorators aside, docstring included.

Public are modules, and classes, functions and methods at any depth but inside functions, whose
names and whose classes' names have no leading underscore. Names with two underscores on both
sides are not public. A function is annotated where all its parameters but `self` and `cls`, and
what it returns, are.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from tests.structure.tree import (
    FUNCTIONS,
    HALL,
    ROOMS,
    Documented,
    File,
    Function,
    count_statements,
    drop_docstring,
    has_docstring,
    list_functions,
)

MAX_FILE = 300
MAX_FUNCTION = 60


@dataclass(frozen=True, slots=True)
class Amount:
    """One room's amounts; `median_function` and `p90_function` are lines."""

    files: int
    lines: int
    statements: int
    functions: int
    median_function: float
    p90_function: float
    longest_function: int
    public: int
    documented: int
    public_functions: int
    annotated: int


def measure_amounts(files: dict[str, File]) -> dict[str, Amount]:
    """Measure the hall and each room that has files, and `all`."""
    rooms = {
        room: [file for file in files.values() if file.room == room] for room in (HALL, *ROOMS)
    }
    amounts = {room: _measure(inside) for room, inside in rooms.items() if inside}
    return amounts | {"all": _measure([*files.values()])}


def _measure(files: list[File]) -> Amount:
    lengths = sorted(
        measure_length(function) for file in files for _, function in list_functions(file)
    )
    public = [node for file in files for node in _list_public(file.tree)]
    functions = [node for node in public if isinstance(node, FUNCTIONS)]
    return Amount(
        files=len(files),
        lines=sum(file.lines for file in files),
        statements=sum(count_statements(drop_docstring(file.tree)) for file in files),
        functions=len(lengths),
        median_function=float(median(lengths)) if lengths else 0.0,
        p90_function=float(lengths[int(0.9 * (len(lengths) - 1))]) if lengths else 0.0,
        longest_function=max(lengths, default=0),
        public=len(public),
        documented=sum(map(has_docstring, public)),
        public_functions=len(functions),
        annotated=sum(map(_is_annotated, functions)),
    )


def measure_length(function: Function) -> int:
    """Return a function's lines, decorators aside."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def find_long(files: dict[str, File]) -> list[str]:
    """Say each file and each function that is too long; tests and benchmarks may be among them."""
    lines = [
        f"{file.module} has {file.lines} lines, at most {MAX_FILE} are allowed"
        for file in files.values()
        if file.lines > MAX_FILE
    ]
    for file in files.values():
        for name, function in list_functions(file):
            length = measure_length(function)
            if length > MAX_FUNCTION:
                found = f"{file.module}.{name} has {length} lines"
                lines.append(f"{found}, at most {MAX_FUNCTION} are allowed")
    return lines


def _list_public(tree: ast.Module) -> Iterator[Documented]:
    """Yield the module and its public classes, functions and methods."""
    yield tree
    waiting: list[ast.AST] = [*tree.body]
    for node in waiting:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            if node.name.startswith("_"):
                continue
            yield node
        if not isinstance(node, FUNCTIONS):
            waiting += ast.iter_child_nodes(node)


def _is_annotated(function: Function) -> bool:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    named += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    asked = [each for each in named if each.arg not in ("self", "cls")]
    return function.returns is not None and all(each.annotation is not None for each in asked)
