"""Circles, rooms that import each other, packages that import a later one."""

import pytest

from tests.structure.conftest import MakeTree
from tests.structure.imports import find_arrows
from tests.structure.order import find_circles, find_crossings, find_disorder

INSIDE = "def f():\n    "


@pytest.mark.parametrize("indent", ["", INSIDE], ids=["at the top", "inside a function"])
def test_a_circle_is_found_with_its_way(make_tree: MakeTree, indent: str) -> None:
    files = make_tree(
        {
            "train/a.py": "from assay.train import b",
            "train/b.py": "from assay.train.c import name",
            "train/c.py": f"{indent}import assay.train.a",
            "train/d.py": "import assay.train.a",
        }
    )

    way = "assay.train.a -> assay.train.b -> assay.train.c -> assay.train.a"
    assert find_circles(find_arrows(files)) == [f"circle: {way}"]


def test_two_circles_are_two_lines(make_tree: MakeTree) -> None:
    pairs = [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"), ("a", "c")]
    texts: dict[str, str] = {}
    for one, other in pairs:
        name = f"assay/{one}.py"
        texts[name] = texts.get(name, "") + f"import assay.{other}\n"

    assert len(find_circles(find_arrows(make_tree(texts)))) == 2


def test_type_checkers_and_texts_close_no_circle(make_tree: MakeTree) -> None:
    files = make_tree(
        {
            "train/a.py": "from assay.train import b",
            "train/b.py": """
                if TYPE_CHECKING:
                    from assay.train.a import Name
                HOME = "assay.train.a"
            """,
        }
    )

    assert find_circles(find_arrows(files)) == []


@pytest.mark.parametrize(
    "text",
    [
        "from assay.audit import run",
        "import assay.audit.run",
        INSIDE + "from assay.audit.run import audit_shards",
        "if TYPE_CHECKING:\n    from assay.audit.run import audit_shards",
        "import_module('assay.audit.run')",
        "import audit.run",
        "from audit import run",
        INSIDE + "from audit.run import audit_shards",
        "from assay import audit_shards",
        "import assay\nassay.audit_shards()",
    ],
)
@pytest.mark.parametrize("where", ["train/a.py", "assay/a.py"])
def test_a_room_is_imported_by_itself_alone(make_tree: MakeTree, text: str, where: str) -> None:
    files = make_tree(
        {
            "assay/__init__.py": "if TYPE_CHECKING:\n    from assay.audit.run import audit_shards",
            "assay/cli.py": "VERBS = ['assay.audit.run']",
            "audit/run.py": "from assay.audit import words",
            "audit/words.py": "from assay import errors",
            "assay/errors.py": "",
            where: text,
        }
    )

    [line] = find_crossings(files, find_arrows(files))

    source = where.removeprefix("assay/").removesuffix(".py").replace("/", ".")
    assert line.startswith(f"assay.{source} imports assay.audit.run (")


def test_the_command_line_names_rooms_by_texts_alone(make_tree: MakeTree) -> None:
    files = make_tree(
        {
            "assay/__init__.py": "def f():\n    from assay.audit import run",
            "assay/cli.py": "VERB = 'assay.audit.run'\nimport assay.audit.run",
            "audit/run.py": "",
        }
    )

    assert find_crossings(files, find_arrows(files)) == [
        "assay imports assay.audit.run (inside a function)",
        "assay.cli imports assay.audit.run (plain)",
    ]


def make_packages(order: str, **texts: str) -> dict[str, str]:
    """Three packages of a room, a file each, and loose files beside them."""
    files = {f"train/{name}/__init__.py": "" for name in "abc"}
    files |= {f"train/{name}/file.py": texts.get(name, "") for name in "abc"}
    files |= {f"train/{name}.py": text for name, text in texts.items() if name not in "abc"}
    return files | {"train/__init__.py": f'"""A room."""\nPACKAGES = {order}'}


ORDER = '("a", "b", "c")'


def test_a_package_may_import_earlier_ones_and_loose_files(make_tree: MakeTree) -> None:
    files = make_tree(
        make_packages(
            ORDER,
            errors="",
            options="import assay.train.a.file",
            b="from assay.train.a import file\nfrom assay.train import errors",
            c=INSIDE + "from assay.train import options",
            loop="from assay.train.c.file import go\nfrom assay.train.a import file",
        )
    )

    assert find_disorder(files, find_arrows(files)) == []


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"a": "import assay.train.b.file"}, "a leans on b"),
        ({"b": INSIDE + "from assay.train.c import file"}, "b leans on c"),
        ({"a": "import assay.train.loose", "loose": "import assay.train.c.file"}, "a leans on c"),
        ({"a": "import assay.train.loose", "loose": "import assay.train.a.file"}, "a leans on a"),
        ({"a": "from assay.train import c"}, "a leans on c"),
    ],
    ids=["straight", "inside a function", "by a loose file", "back to itself", "the package"],
)
def test_a_package_that_leans_on_a_later_one(
    make_tree: MakeTree, texts: dict[str, str], found: str
) -> None:
    files = make_tree(make_packages(ORDER, **texts))

    line = f"assay.train: {found}, which is not before it"
    assert find_disorder(files, find_arrows(files)) == [line]


def test_another_order_allows_another_import(make_tree: MakeTree) -> None:
    files = make_tree(make_packages('("b", "c", "a")', a="import assay.train.b.file"))

    assert find_disorder(files, find_arrows(files)) == []


@pytest.mark.parametrize("order", ["()", '("a", "b")', '("a", "b", "c", "d")', '("a", "b", "b")'])
def test_the_tuple_names_the_folders(make_tree: MakeTree, order: str) -> None:
    files = make_tree(make_packages(order))

    [line] = find_disorder(files, find_arrows(files))

    assert line.startswith("assay.train: PACKAGES names (")
    assert line.endswith("the folder holds a, b, c")


def test_the_hall_has_an_order_without_the_rooms(make_tree: MakeTree) -> None:
    files = make_tree(
        {
            "assay/__init__.py": 'PACKAGES = ("storage", "formats")',
            "assay/errors.py": "",
            "assay/storage/__init__.py": "",
            "assay/storage/seal.py": "from assay.formats import bins\nfrom assay import errors",
            "assay/formats/__init__.py": "",
            "assay/formats/bins.py": "",
            "train/__init__.py": "",
            "train/loop.py": "from assay.formats import bins",
        }
    )

    line = "assay: storage leans on formats, which is not before it"
    assert find_disorder(files, find_arrows(files)) == [line]


def test_packages_of_a_package_have_an_order_too(make_tree: MakeTree) -> None:
    files = make_tree(
        {
            "train/__init__.py": 'PACKAGES = ("a",)',
            "train/a/__init__.py": 'PACKAGES = ("x", "y")',
            "train/a/x/__init__.py": "",
            "train/a/x/file.py": "import assay.train.a.y.file",
            "train/a/y/__init__.py": "",
            "train/a/y/file.py": "",
        }
    )

    line = "assay.train.a: x leans on y, which is not before it"
    assert find_disorder(files, find_arrows(files)) == [line]
