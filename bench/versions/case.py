"""One command of the fixed set: its words, what lies in its folder before, its exit code."""

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

INPUT = "@"  # begins the name of an input; other names are CASE/PATH, what another command wrote
Setup = Callable[[Path], None]
# Models so small that torch takes longer to load than they to train.
_SHORT = {
    "{tiny}": "--n_layer 1 --n_head 2 --n_embd 16 --block_size 16 --batch_size 8 --device cpu",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One command, carried out in a folder of its own.

    Attributes:
        name: Of the case, and of its folder in the record.
        argv: What follows `assay`, with relative paths alone.
        code: The exit code that it had when it was written down here.
        needs: (where in the folder, what): an input, or what an earlier case wrote.
        setup: Changes the folder before the command runs.
        stdin: A file in the folder that is given as standard input.
        program: What stands between the interpreter and `argv`.
        path: Folders of inputs on PYTHONPATH, behind the checkout.
        columns: stdout is a terminal of so many.
    """

    name: str
    argv: tuple[str, ...]
    code: int = 0
    needs: tuple[tuple[str, str], ...] = ()
    setup: Setup | None = None
    stdin: str | None = None
    program: tuple[str, ...] = ("-m", "assay")
    path: tuple[str, ...] = ()
    columns: int | None = None

    @property
    def parents(self) -> set[str]:
        """The cases that have to be carried out before."""
        return {what.split("/")[0] for _, what in self.needs if not what.startswith(INPUT)}


def case(
    name: str,
    command: str,
    needs: str = "",
    code: int = 0,
    *,
    setup: Setup | None = None,
    stdin: str | None = None,
    program: tuple[str, ...] = ("-m", "assay"),
    path: tuple[str, ...] = (),
    columns: int | None = None,
) -> Case:
    """Make a case of a command as a shell would read it.

    Args:
        name: Of the case.
        command: What follows `assay`; words in braces are those of `_SHORT`.
        needs: Words `WHERE=WHAT`, or `WHAT`, which keeps its last name.
        code: Exit code.
        setup: As `Case` has it, as have those that follow.
        stdin: A file in the folder.
        program: What follows the interpreter.
        path: Folders of inputs.
        columns: Of the terminal that stdout is.

    >>> case("a", "show x", "@shards/x x=other/x").needs
    (('x', '@shards/x'), ('x', 'other/x'))
    """
    for short, long in _SHORT.items():
        command = command.replace(short, long)
    found = []
    for word in needs.split():
        where, sign, what = word.partition("=")
        found.append(
            (where, what) if sign else (where.rsplit("/", 1)[-1].removeprefix(INPUT), where)
        )
    return Case(
        name=name,
        argv=tuple(shlex.split(command)),
        code=code,
        needs=tuple(found),
        setup=setup,
        stdin=stdin,
        program=program,
        path=path,
        columns=columns,
    )


def refusals(prefix: str, code: int, needs: str, commands: Iterable[str]) -> Iterator[Case]:
    """Make a case of each command; all need the same and end with the same exit code."""
    for number, command in enumerate(commands, 1):
        yield case(f"{prefix}-{number:02}", command, needs, code)


def check_table(cases: Iterable[Case]) -> None:
    """Refuse a name that stands twice, and needs that no earlier case can meet; ValueError."""
    seen: set[str] = set()
    for each in cases:
        if each.name in seen:
            raise ValueError(f"two cases are called {each.name}")
        if missing := each.parents - seen:
            raise ValueError(f"{each.name} needs {', '.join(sorted(missing))}, which come later")
        seen.add(each.name)
