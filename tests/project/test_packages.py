"""Every folder of code is installed: `setup.cfg` lists packages by hand, and none is forgotten.

setuptools cannot find them: the rooms lie at the root and are installed inside `assay`, and the
links in `assay/`, which would lead there, are in no source distribution.
"""

from configparser import ConfigParser
from pathlib import Path

from tests.structure.tree import HALL, ROOMS, ROOT, read_tree


def read_setup() -> ConfigParser:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def test_each_folder_of_code_is_installed() -> None:
    listed = read_setup()["options"]["packages"].split()
    there = sort_packages({file.folder for file in read_tree().values()})

    assert sorted(listed) == sorted(there), (
        "setup.cfg should list these packages:\n    " + "\n    ".join(there)
    )


def sort_packages(names: set[str]) -> list[str]:
    """Return names in the order of the work, and each room's by the alphabet."""

    def place(name: str) -> tuple[int, str]:
        room = name.split(".")[1:2]
        return (ROOMS.index(room[0]) if set(room) & set(ROOMS) else -1, name)

    return sorted(names, key=place)


def test_each_package_has_a_first_page() -> None:
    files = read_tree()

    assert {file.folder for file in files.values()} - set(files) == set()


def test_each_room_is_mapped_into_assay() -> None:
    lines = read_setup()["options"]["package_dir"].strip().splitlines()

    mapped = dict(line.split(" = ") for line in lines)

    assert mapped == {HALL: HALL} | {f"{HALL}.{room}": room for room in ROOMS}


def test_each_file_that_is_not_code_is_installed() -> None:
    taken: set[Path] = set()
    for package, patterns in read_setup()["options.package_data"].items():
        for pattern in patterns.split(","):
            taken |= set((ROOT / package.removeprefix(f"{HALL}.")).glob(pattern.strip()))

    assert {path.parent.name for path in taken} >= {"data", "assets"}
    assert list_data() - taken == set()


def list_data() -> set[Path]:
    """Return the files in the folders of code that are not Python."""
    found = set()
    for room in (HALL, *ROOMS):
        for path in (ROOT / room).rglob("*"):
            linked = room == HALL and path.relative_to(ROOT / HALL).parts[0] in ROOMS
            if path.is_file() and not linked and path.suffix not in (".py", ".pyc"):
                found.add(path)
    return found
