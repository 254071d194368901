"""Formulas that are written twice, in functions that may look nothing like each other.

In each function, every local name that is assigned once is replaced by what it stands for, so that
`rest = x - mean * n` and `x - x.sum() / n.sum() * n` are one formula. What remains are names,
numbers, operators and calls:

- `np.sum(x)` and `x.sum()` are one call; a change of type (`float`, `asarray`, ...) is none;
- parameters, attributes (`self.peak`), items (`row["tokens"]`) and names assigned more than once
  are leaves, told apart only by the order of their first use;
- factors and summands are sorted, numbers are kept;
- a text, a sum with one, bits (`&`, `<<`) or anything else that is no arithmetic is a leaf.

A formula counts where it has eight nodes or more, two arithmetic operators among them. It is
written twice where two functions hold it; of formulas within each other the largest is told.

What is not seen: one that was rearranged (`a / b * c` and `a * c / b`), that grows over several
assignments to one name, that is split over two functions, or that stands outside of any.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tests.structure.tree import FUNCTIONS, File, Function, list_functions

MIN_NODES = 8
MIN_OPERATORS = 2
_MAX_NODES = 80  # a name that stands for more than this is a leaf

_CONVERSIONS = {"float", "int", "asarray", "float64", "array", "item", "astype", "to_numpy"}
_LIBRARIES = {"np", "numpy", "math", "torch"}
_OPERATORS = {
    "Add": "+",
    "Sub": "-",
    "Mult": "*",
    "Div": "/",
    "FloorDiv": "//",
    "Mod": "%",
    "Pow": "**",
    "MatMult": "@",
}
_COMMUTE = ("+", "*")


@dataclass(frozen=True, slots=True)
class Term:
    """An expression: `head` is an operator, a call's name, a number, or a leaf's own text."""

    kind: str  # operator, call, number, leaf or text
    head: str
    parts: tuple["Term", ...] = ()
    nodes: int = 1
    operators: int = 0


@dataclass(frozen=True, slots=True)
class SameFormula:
    """Functions that hold one formula, whose leaves are called a, b, c and so on."""

    keys: tuple[str, ...]
    places: tuple[str, ...]
    formula: str

    def __str__(self) -> str:
        return f"{' and '.join(self.places)}: {self.formula}"


def find_same_formulas(files: dict[str, File]) -> list[SameFormula]:
    """Return the formulas that two functions or more hold, the largest first."""
    holders: dict[str, set[tuple[str, str]]] = defaultdict(set)
    terms: dict[str, Term] = {}
    for file in files.values():
        for name, function in list_functions(file):
            for term in list_formulas(function):
                written = write_formula(term)
                holders[written].add((f"{file.module}.{name}", f"{file.room}:{name}"))
                terms.setdefault(written, term)
    shared = [written for written, holding in holders.items() if len(holding) > 1]
    shared.sort(key=lambda written: (-terms[written].nodes, written))
    inner: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    found = []
    for written in shared:
        holding = holders[written]
        if not any(holding <= outer for part, outer in inner if part == written):
            places, keys = zip(*sorted(holding), strict=True)
            found.append(SameFormula(tuple(sorted(keys)), places, written))
        inner |= {(write_formula(part), frozenset(holding)) for part in _list_parts(terms[written])}
    return found


def list_formulas(function: Function) -> Iterator[Term]:
    """Yield every formula of a function, those within others too; nested functions aside."""
    reader = _Reader(function)
    for node in _walk_own(function):
        if isinstance(node, ast.BinOp | ast.Call):
            term = reader.read(node)
            for part in (term, *_list_parts(term)):
                if part.nodes >= MIN_NODES and part.operators >= MIN_OPERATORS:
                    yield part


def write_formula(term: Term) -> str:
    """Write a formula with its leaves called a, b, c, ... by first use."""
    names: dict[str, str] = {}

    def write(term: Term) -> str:
        if term.kind in ("leaf", "text"):
            return names.setdefault(term.head, _name(len(names)))
        parts = term.parts
        if term.head in _COMMUTE:
            parts = tuple(sorted(parts, key=_shape))
        written = [write(part) for part in parts]
        if term.kind == "operator" and len(written) == 2:
            return f"({written[0]} {term.head} {written[1]})"
        return f"{term.head}({', '.join(written)})" if term.parts else term.head

    return write(term)


def _name(number: int) -> str:
    letter = chr(ord("a") + number % 26)
    return letter + str(number // 26) * (number >= 26)


def _shape(term: Term) -> str:
    if term.kind in ("leaf", "text"):
        return "~"
    return f"{term.head}({','.join(_shape(part) for part in term.parts)})"


def _list_parts(term: Term) -> Iterator[Term]:
    for part in term.parts:
        yield part
        yield from _list_parts(part)


def _walk_own(function: Function) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(function.body)
    for node in waiting:
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            yield node
            waiting += ast.iter_child_nodes(node)


def _find_assigned(function: Function) -> dict[str, ast.expr]:
    """Return what each name stands for that is assigned once and is no parameter."""
    stored: Counter[str] = Counter()
    values: dict[str, ast.expr] = {}
    for node in _walk_own(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored[node.id] += 1
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                values |= _pair(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            values |= _pair(node.target, node.value)
    parameters = {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
    return {
        name: value
        for name, value in values.items()
        if stored[name] == 1 and name not in parameters
    }


def _pair(target: ast.expr, value: ast.expr) -> dict[str, ast.expr]:
    if isinstance(target, ast.Name):
        return {target.id: value}
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=False)
        return {each.id: part for each, part in pairs if isinstance(each, ast.Name)}
    return {}


class _Reader:
    """Reads the expressions of one function, and each local name but once."""

    def __init__(self, function: Function) -> None:
        self.assigned = _find_assigned(function)
        self.names: dict[str, Term] = {}

    def read(self, node: ast.expr) -> Term:
        """Read an expression with its local names replaced by what they stand for."""
        if isinstance(node, ast.Name):
            return self._read_name(node.id)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, int | float) and not isinstance(node.value, bool):
                return Term("number", f"{float(node.value):g}")
            return Term("text", repr(node.value))
        if isinstance(node, ast.BinOp):
            sides = self.read(node.left), self.read(node.right)
            if any(side.kind == "text" for side in sides):
                return Term("text", ast.unparse(node))
            if type(node.op).__name__ in _OPERATORS:
                return _join("operator", _OPERATORS[type(node.op).__name__], sides)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return _join("call", "-", (self.read(node.operand),))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            return self._read_call(node, node.func)
        return Term("text" if isinstance(node, ast.JoinedStr) else "leaf", ast.unparse(node))

    def _read_name(self, name: str) -> Term:
        leaf = Term("leaf", name)
        if name not in self.names:
            self.names[name] = leaf  # as long as it is read, should it stand for itself
            if name in self.assigned:
                term = self.read(self.assigned[name])
                self.names[name] = term if term.nodes <= _MAX_NODES else leaf
        return self.names[name]

    def _read_call(self, node: ast.Call, function: ast.Name | ast.Attribute) -> Term:
        arguments = [self.read(each) for each in node.args]
        if isinstance(function, ast.Name):
            name = function.id
        else:
            name, owner = function.attr, function.value
            if not (isinstance(owner, ast.Name) and owner.id in _LIBRARIES):
                arguments.insert(0, self.read(owner))
        if name in _CONVERSIONS and arguments:
            return arguments[0]
        for keyword in node.keywords:
            name += f" {keyword.arg}="
            arguments.append(self.read(keyword.value))
        return _join("call", name, tuple(arguments))


def _join(kind: str, head: str, parts: tuple[Term, ...]) -> Term:
    return Term(
        kind=kind,
        head=head,
        parts=parts,
        nodes=1 + sum(part.nodes for part in parts),
        operators=(kind == "operator") + sum(part.operators for part in parts),
    )
