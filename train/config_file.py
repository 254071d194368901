"""Settings from a file: TOML, or one of nanoGPT's `config/*.py`, parsed and never executed."""

import ast
import operator
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.train.config import check_names

# Where a nanoGPT file says nothing, nanoGPT's train.py says this.
_NANOGPT_DEFAULTS: dict[str, Any] = {
    "arch": "nanogpt",
    "schedule": "cosine",
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
_NANOGPT_ELSEWHERE = {
    *("out_dir", "eval_interval", "log_interval", "eval_iters", "eval_only", "dataset"),
    *("always_save_checkpoint", "init_from", "backend"),
    *("wandb_log", "wandb_project", "wandb_run_name"),
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def read_config(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Read settings from TOML or from a nanoGPT `config/*.py`.

    Returns the settings, and the names of those that mean something to nanoGPT alone.

    Raises:
        UsageError: No such file, not TOML, an unknown name, or, in Python, anything but
            assignments of literals and of arithmetic on them (its line is told).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"config {path} cannot be read: {error}") from error
    if path.suffix == ".py":
        found = _parse_python(text, path)
        elsewhere = sorted(_NANOGPT_ELSEWHERE & set(found))
        settings = _NANOGPT_DEFAULTS | {k: v for k, v in found.items() if k not in elsewhere}
        if settings.pop("decay_lr", True) is False:
            settings["schedule"] = "constant"
    else:
        elsewhere = []
        try:
            settings = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"config {path} is not TOML: {error}") from error
    check_names(settings, f"config {path}: ")
    return settings, elsewhere


def _parse_python(text: str, path: Path) -> dict[str, Any]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"config {path} is not Python: {error}") from error
    settings: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if (
            not isinstance(node, ast.Assign)
            or len(node.targets) != 1
            or not isinstance(node.targets[0], ast.Name)
        ):
            raise _refuse(path, node)
        settings[node.targets[0].id] = _literal(node.value, path)
    return settings


def _literal(node: ast.expr, path: Path) -> Any:
    """Evaluate a literal, or arithmetic on numbers (nanoGPT writes 5 * 8)."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _literal(node.operand, path)
        if isinstance(value, int | float):
            return -value
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = _literal(node.left, path), _literal(node.right, path)
        if isinstance(left, int | float) and isinstance(right, int | float):
            try:
                return _ARITHMETIC[type(node.op)](left, right)
            except ArithmeticError as error:
                raise _refuse(path, node) from error
    raise _refuse(path, node)


def _refuse(path: Path, node: ast.stmt | ast.expr) -> UsageError:
    return UsageError(
        f"config {path}, line {node.lineno}: only `name = literal` is read, code is never run"
    )
