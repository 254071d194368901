"""Every rule, on this tree; `python -m tests.structure` prints the figures."""

import pytest

from tests.structure.goals import find_growth, find_unmet, read_toml
from tests.structure.imports import Arrow, find_arrows
from tests.structure.order import find_circles, find_crossings, find_disorder
from tests.structure.statements import find_long
from tests.structure.tree import BESIDE, HALL, ROOMS, File, read_beside
from tests.structure.twice import find_twice, hold_against, read_exceptions


@pytest.fixture(scope="module")
def arrows(files: dict[str, File]) -> set[Arrow]:
    return find_arrows(files)


def test_every_room_was_read(files: dict[str, File], arrows: set[Arrow]) -> None:
    assert {file.room for file in files.values()} == {HALL, *ROOMS}
    assert {files[arrow.source].room for arrow in arrows} == {HALL, *ROOMS}


def test_no_circle(arrows: set[Arrow]) -> None:
    assert find_circles(arrows) == []


def test_no_room_imports_another(files: dict[str, File], arrows: set[Arrow]) -> None:
    assert find_crossings(files, arrows) == []


def test_no_package_imports_a_later_one(files: dict[str, File], arrows: set[Arrow]) -> None:
    assert find_disorder(files, arrows) == []


def test_no_figure_grew(files: dict[str, File], arrows: set[Arrow]) -> None:
    assert find_growth(files, arrows, read_toml("limits.toml")) == []


def test_nothing_is_declared_twice(files: dict[str, File]) -> None:
    assert hold_against(find_twice(files), read_exceptions()) == []


def test_no_file_and_no_function_is_too_long(files: dict[str, File]) -> None:
    beside = read_beside()

    assert {file.room for file in beside.values()} == set(BESIDE)
    assert find_long(files | beside) == []


def test_the_goals_are_reached_once_asked_for(files: dict[str, File], arrows: set[Arrow]) -> None:
    limits = read_toml("limits.toml")

    unmet = find_unmet(files, arrows, read_exceptions(), limits)

    if limits["goal"]["asked"]:
        assert unmet == []
    else:
        assert unmet, "all goals are reached: set `asked = true` in limits.toml, to keep them"
