"""Print the figures of this tree, what is declared twice, and what breaks a rule."""

import sys
from collections.abc import Iterator

from tests.structure.figures import close_over, measure_room
from tests.structure.goals import find_growth, find_unmet, read_toml
from tests.structure.imports import Arrow, Kind, find_arrows
from tests.structure.order import find_circles, find_crossings, find_disorder, list_packages
from tests.structure.statements import find_long, measure_amounts
from tests.structure.tree import HALL, ROOMS, File, read_beside, read_tree, room_name
from tests.structure.twice import Found, find_twice, hold_against, read_exceptions


def main() -> int:
    """Print all tables; 1 where a rule is broken, else 0."""
    files = read_tree()
    arrows = find_arrows(files)
    twice = find_twice(files)
    for line in list_all(files, arrows, twice):
        print(line)
    broken = list_broken(files, arrows, twice)
    print("\n".join(["", "Rules broken:", *(broken or ["none"])]))
    return 1 if broken else 0


def list_all(
    files: dict[str, File], arrows: set[Arrow], twice: dict[str, list[Found]]
) -> Iterator[str]:
    """Yield the lines of every table."""
    yield from list_rooms(files, arrows)
    yield ""
    yield from list_amounts(files)
    limits, exceptions = read_toml("limits.toml"), read_exceptions()
    closure = sorted(close_over(files, arrows, "train", limits["loop"]["function"]))
    yield f"\nThe training loop leads to {len(closure)} files of train:"
    yield ", ".join(module.removeprefix("assay.train.") for module in closure)
    for kind in (Kind.TYPES, Kind.TEXT):
        yield f"\nImports {kind}:"
        for arrow in sorted(arrows):
            if arrow.kind == kind:
                yield f"{arrow.source} -> {arrow.target}"
    for kind, group in twice.items():
        yield f"\nDeclared twice, {kind} ({len(group)}):"
        for found in group:
            marks = [each.to_go for each in exceptions if each.meets(kind, found)]
            mark = "to go" if any(marks) else "stays" if marks else "NEW"
            yield f"{mark:<6} {found}"
    yield "\nGoals not reached:"
    unmet = find_unmet(files, arrows, exceptions, limits)
    yield from unmet or ["none"]


def list_rooms(files: dict[str, File], arrows: set[Arrow]) -> Iterator[str]:
    """Yield the lines of the table of packages and arrows."""
    head = ("files", "packages", "between", "arrows", "layers")
    yield f"{'room':<10}" + "".join(f"{name:>10}" for name in head) + "  fullest folder"
    for room in (HALL, *ROOMS):
        found = measure_room(files, arrows, room)
        figures = (
            found.files,
            found.packages,
            found.package_arrows,
            found.arrows,
            found.layers,
        )
        cells = "".join(f"{figure:>10}" for figure in figures)
        yield f"{room:<10}{cells}  {found.fullest} ({found.fullest_files})"
        for name in list_packages(files, room_name(room)):
            yield f"  {name}"


def list_amounts(files: dict[str, File]) -> Iterator[str]:
    """Yield the lines of the table of statements."""
    head = ("files", "lines", "statements", "functions", "median", "p90", "longest")
    yield f"{'room':<10}" + "".join(f"{name:>11}" for name in head) + "   documented  annotated"
    for room, amount in measure_amounts(files).items():
        figures = [getattr(amount, name) for name in head[:4]]
        figures += [amount.median_function, amount.p90_function, amount.longest_function]
        cells = "".join(f"{figure:>11,g}" for figure in figures)
        documented = f"{amount.documented} of {amount.public}"
        annotated = f"{amount.annotated} of {amount.public_functions}"
        yield f"{room:<10}{cells}   {documented}, {annotated}"


def list_broken(
    files: dict[str, File], arrows: set[Arrow], twice: dict[str, list[Found]]
) -> list[str]:
    """Return what breaks a rule that holds already."""
    return [
        *find_circles(arrows),
        *find_crossings(files, arrows),
        *find_disorder(files, arrows),
        *find_growth(files, arrows, read_toml("limits.toml")),
        *hold_against(twice, read_exceptions()),
        *find_long(files | read_beside()),
    ]


if __name__ == "__main__":
    sys.exit(main())
