"""nanoGPT's `config/*.py`: parsed, never executed; where they are silent, train.py speaks."""

import ast
import operator
from collections.abc import Callable, Mapping
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
    ast.Pow: lambda base, exponent: _raise(base, exponent),
}
_LARGEST = 1e30  # of what arithmetic gives; no setting comes near it
# What `init_from = "gpt2..."` makes of a model, whatever the config says: layers, heads, width.
_GPT2_SIZES = {
    "gpt2": (12, 12, 768),
    "gpt2-medium": (24, 16, 1024),
    "gpt2-large": (36, 20, 1280),
    "gpt2-xl": (48, 25, 1600),
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
    """Read the assignments of literals, of arithmetic on them, and of names set before.

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
            value = getattr(node, "value", None)
            if names is None or len(names) != 1 or value is None:
                raise _NotLiteral
            settings.update(dict.fromkeys(names, _literal(value, settings)))
        except (_NotLiteral, RecursionError):
            unread.append(Unread(node.lineno, names))
            for name in names or ():
                settings.pop(name, None)  # an earlier value no longer holds
    return settings, unread


def size_of_init(init_from: object) -> dict[str, Any]:
    """Return the sizes that nanoGPT takes from GPT-2's weights; nothing for any other start."""
    if str(init_from) not in _GPT2_SIZES:
        return {}
    layers, heads, width = _GPT2_SIZES[str(init_from)]
    return {"n_layer": layers, "n_head": heads, "n_embd": width, "vocab_size": 50257, "bias": True}


def _raise(base: Any, exponent: Any) -> Any:
    """Raise to a power, as far as a setting could need it: 2 ** 19, not 9 ** 9 ** 9."""
    if not 0 <= exponent <= 64 or abs(base) > 1e6:
        raise _NotLiteral
    return base**exponent


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
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return frozenset([node.target.id])
    return None


def _literal(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """Evaluate a literal, a name set before, or arithmetic on numbers (nanoGPT writes 5 * 8)."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand, known)
        if isinstance(value, int | float):
            return -value
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = _literal(node.left, known), _literal(node.right, known)
        if isinstance(left, int | float) and isinstance(right, int | float):
            try:
                value = _ARITHMETIC[type(node.op)](left, right)
            except ArithmeticError as error:
                raise _NotLiteral from error
            # Names stand for numbers here: a * a, line after line, would fill the memory.
            if isinstance(value, int | float) and abs(value) <= _LARGEST:
                return value
    raise _NotLiteral
