"""What is declared twice, less the exceptions that `exceptions.toml` lists with reasons.

An exception names its structs or functions by room and qualified name (`train:Unit`), so that it
outlives a move within the room; a formula's has the formula, too. One that meets nothing is
stale, and told. `to_go = true` marks what is still to be merged.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.structure.bodies import find_same_bodies
from tests.structure.formulas import SameFormula, find_same_formulas
from tests.structure.structs import find_copies
from tests.structure.tree import File

EXCEPTIONS = Path(__file__).parent / "exceptions.toml"
KINDS = ("structs", "bodies", "formulas")


class Found(Protocol):
    """What is declared twice; its text is a line of the table."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Room and qualified name of each declaration, sorted."""
        ...


@dataclass(frozen=True, slots=True)
class Excepted:
    """An exception: of which kind, of what, why, and whether it is still to go."""

    kind: str
    keys: tuple[str, ...]
    formula: str
    reason: str
    to_go: bool

    def meets(self, kind: str, found: Found) -> bool:
        """Whether it is of this pair or group."""
        formula = found.formula if isinstance(found, SameFormula) else ""
        return (self.kind, self.keys, self.formula) == (kind, found.keys, formula)


def find_twice(files: dict[str, File]) -> dict[str, list[Found]]:
    """Return what is declared twice, by kind."""
    return {
        "structs": [*find_copies(files)],
        "bodies": [*find_same_bodies(files)],
        "formulas": [*find_same_formulas(files)],
    }


def read_exceptions(path: Path = EXCEPTIONS) -> list[Excepted]:
    """Read the exceptions.

    Raises:
        ValueError: One names no reason, or is of no known kind.
    """
    tables: dict[str, list[dict[str, Any]]] = tomllib.loads(path.read_text(encoding="utf-8"))
    exceptions = []
    for kind, entries in tables.items():
        for entry in entries:
            if kind not in KINDS or not entry.get("reason", "").strip():
                raise ValueError(f"{path.name}: {kind} {entry.get('of')} needs a reason")
            exceptions.append(
                Excepted(
                    kind=kind,
                    keys=tuple(sorted(entry["of"])),
                    formula=entry.get("formula", ""),
                    reason=entry["reason"],
                    to_go=entry.get("to_go", False),
                )
            )
    return exceptions


def hold_against(twice: dict[str, list[Found]], exceptions: list[Excepted]) -> list[str]:
    """Say what is declared twice without an exception, and which exceptions meet nothing."""
    lines = [
        f"{kind} declared twice: {found}"
        for kind, group in twice.items()
        for found in group
        if not any(exception.meets(kind, found) for exception in exceptions)
    ]
    stale = [
        f"stale exception, to be taken out: {exception.kind} {' and '.join(exception.keys)}"
        for exception in exceptions
        if not any(exception.meets(exception.kind, found) for found in twice[exception.kind])
    ]
    return lines + stale
