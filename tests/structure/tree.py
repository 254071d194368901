"""The product's files: the rooms at the root, and `assay/`, the hall that they share."""

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ROOMS = ("audit", "prepare", "train", "diagnose", "reports")
HALL = "assay"
BESIDE = ("tests", "bench")

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


@dataclass(frozen=True, slots=True)
class File:
    """One file; `module` is the name it is imported by, `folder` that of the folder it lies in."""

    module: str
    folder: str
    room: str
    lines: int
    tree: ast.Module

    @property
    def is_front(self) -> bool:
        """Whether it is the `__init__` of its folder."""
        return self.module == self.folder


def read_tree(root: Path = ROOT) -> dict[str, File]:
    """Parse every product file under `root`, by module; the links in `assay/` are not followed."""
    files: dict[str, File] = {}
    for room in (HALL, *ROOMS):
        for path in sorted((root / room).rglob("*.py")):
            inside = path.relative_to(root / room)
            if room == HALL and inside.parts[0] in ROOMS:
                continue
            folder = ".".join([HALL, *([] if room == HALL else [room]), *inside.parts[:-1]])
            module = folder if path.stem == "__init__" else f"{folder}.{path.stem}"
            files[module] = _parse(path, module, folder, room)
    return files


def read_beside(root: Path = ROOT) -> dict[str, File]:
    """Parse every file of the tests and benchmarks under `root`, by module: no product files."""
    files: dict[str, File] = {}
    for room in BESIDE:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            files[module] = _parse(path, module, ".".join(parts[:-1]), room)
    return files


def _parse(path: Path, module: str, folder: str, room: str) -> File:
    text = path.read_text(encoding="utf-8")
    return File(module, folder, room, len(text.splitlines()), ast.parse(text, str(path)))


def room_name(room: str) -> str:
    """Return the module of a room's `__init__`, or of the hall's."""
    return room if room == HALL else f"{HALL}.{room}"


def drop_docstring(node: Documented) -> list[ast.stmt]:
    """Return the body without its docstring."""
    return node.body[1:] if has_docstring(node) else node.body


def has_docstring(node: Documented) -> bool:
    """Whether the body begins with a text."""
    return ast.get_docstring(node, clean=False) is not None


def list_functions(file: File) -> list[tuple[str, Function]]:
    """Return each function and method with its qualified name, nested ones too."""
    found: list[tuple[str, Function]] = []

    def visit(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, (*FUNCTIONS, ast.ClassDef)):
                name = f"{prefix}{child.name}."
            if isinstance(child, FUNCTIONS):
                found.append((f"{prefix}{child.name}", child))
            visit(child, name)

    visit(file.tree, "")
    return found


def count_statements(body: list[ast.stmt]) -> int:
    """Count statements at every depth; a docstring is none."""
    count = 0
    for statement in body:
        for node in ast.walk(statement):
            count += isinstance(node, ast.stmt)
            if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
                count -= has_docstring(node)
    return count
