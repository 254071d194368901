"""nanoGPT's `config/*.py`: parsed, never executed; where they are silent, train.py speaks."""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.errors import UsageError

# Where a nanoGPT file says nothing, nanoGPT's train.py says this.
NANOGPT_DEFAULTS: dict[str, Any] = {
    "n_layer": 12,
    "n_head": 12,
    "n_embd": 768,
    "block_size": 1024,
    "batch_size": 12,
    "gradient_accumulation_steps": 40,
    "max_iters": 600_000,
    "learning_rate": 6e-4,
    "min_lr": 6e-5,
    "warmup_iters": 2000,
    "lr_decay_iters": 600_000,
}
# Settings of nanoGPT's that decide no weights.
NANOGPT_ELSEWHERE = frozenset(
    {
        *("out_dir", "eval_interval", "log_interval", "eval_iters", "eval_only", "dataset"),
        *("always_save_checkpoint", "init_from", "backend"),
        *("wandb_log", "wandb_project", "wandb_run_name"),
    }
)
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


@dataclass(frozen=True, slots=True)
class Unread:
    """A statement that is more than `name = literal`: its line, and the names that it sets.

    `sets` is None where that cannot be told: calls, loops, anything but an assignment or import.
    """

    line: int
    sets: frozenset[str] | None


class _NotLiteral(Exception):
    pass


def parse_nanogpt(text: str, path: Path) -> tuple[dict[str, Any], list[Unread]]:
    """Read the assignments of literals, and of arithmetic on them, in a Python file.

    Nothing is executed. Returns the settings by name, and the statements that were not read.

    Raises:
        UsageError: The file is not Python.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"config {path} is not Python: {error}") from error
    settings: dict[str, Any] = {}
    unread: list[Unread] = []
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        names = _targets(node)
        try:
            if not isinstance(node, ast.Assign) or names is None or len(node.targets) > 1:
                raise _NotLiteral
            (name,) = names
            settings[name] = _literal(node.value)
        except (_NotLiteral, RecursionError):
            unread.append(Unread(node.lineno, names))
    return settings, unread


def refuse_code(path: Path, line: int) -> UsageError:
    """Make the error for a statement that would have to be executed to be understood."""
    return UsageError(
        f"config {path}, line {line}: only `name = literal` is read, code is never run"
    )


def _targets(node: ast.stmt) -> frozenset[str] | None:
    """Return the names that an import or a plain assignment sets; None where it may set others."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = frozenset((alias.asname or alias.name).split(".")[0] for alias in node.names)
        return None if "*" in names else names
    if isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets):
        return frozenset(t.id for t in node.targets if isinstance(t, ast.Name))
    return None


def _literal(node: ast.expr) -> Any:
    """Evaluate a literal, or arithmetic on numbers (nanoGPT writes 5 * 8)."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand)
        if isinstance(value, int | float):
            return -value
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = _literal(node.left), _literal(node.right)
        if isinstance(left, int | float) and isinstance(right, int | float):
            try:
                return _ARITHMETIC[type(node.op)](left, right)
            except ArithmeticError as error:
                raise _NotLiteral from error
    raise _NotLiteral
