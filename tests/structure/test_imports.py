"""Which imports are seen, and what they are called."""

import pytest

from tests.structure.conftest import MakeTree
from tests.structure.figures import close_over, measure_room
from tests.structure.imports import Arrow, Kind, find_arrows
from tests.structure.tree import File

ONE = "assay.train.one"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import assay.train.two", Kind.PLAIN),
        ("import assay.train.two as other", Kind.PLAIN),
        ("from assay.train import two", Kind.PLAIN),
        ("from assay.train.two import name", Kind.PLAIN),
        ("from assay import offered", Kind.PLAIN),
        ("import assay\nassay.offered()", Kind.PLAIN),
        ("class A:\n    from assay.train import two", Kind.PLAIN),
        ("try:\n    from assay.train import two\nexcept ImportError:\n    pass", Kind.PLAIN),
        ("def f():\n    from assay.train import two", Kind.INSIDE),
        ("class A:\n    async def f(self):\n        import assay.train.two", Kind.INSIDE),
        ("def f():\n    import assay\n    return assay.offered", Kind.INSIDE),
        ("if TYPE_CHECKING:\n    from assay.train import two", Kind.TYPES),
        ("if typing.TYPE_CHECKING:\n    from assay.train.two import name", Kind.TYPES),
        ("if not TYPE_CHECKING:\n    from assay.train import two", Kind.PLAIN),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    from assay.train import two", Kind.PLAIN),
        ("import_module('assay.train.two')", Kind.TEXT),
        ("import train.two", Kind.PLAIN),
        ("from train import two", Kind.PLAIN),
        ("from train.two import name", Kind.PLAIN),
        ("def f():\n    import train.two as other", Kind.INSIDE),
        ("if TYPE_CHECKING:\n    from train.two import name", Kind.TYPES),
        ("import_module('train.two')", Kind.TEXT),
    ],
)
def test_each_way_of_importing_is_seen(make_tree: MakeTree, text: str, kind: Kind) -> None:
    files = make_tree(
        {
            "assay/__init__.py": "if TYPE_CHECKING:\n    from assay.train.two import offered",
            "train/one.py": text,
            "train/two.py": "",
        }
    )

    arrows = {arrow for arrow in find_arrows(files) if arrow.source == ONE}

    assert Arrow(ONE, "assay.train.two", kind) in arrows
    assert {arrow.target for arrow in arrows} <= {"assay.train.two", "assay"}


def test_other_peoples_modules_are_no_arrows(make_tree: MakeTree) -> None:
    files = make_tree({"train/one.py": "import numpy\nfrom torch import nn", "train/two.py": ""})

    assert find_arrows(files) == set()


def test_the_word_train_is_no_import(make_tree: MakeTree) -> None:
    text = "SPLIT = 'train'\nBIN = 'train.bin'\nKEY = 'training.two'"
    files = make_tree({"audit/one.py": text, "train/__init__.py": "", "train/two.py": ""})

    assert find_arrows(files) == set()


def test_a_relative_import_is_refused(make_tree: MakeTree) -> None:
    files = make_tree({"train/one.py": "from . import two", "train/two.py": ""})

    with pytest.raises(ValueError, match=r"assay\.train\.one imports relatively, in line 1"):
        find_arrows(files)


def test_links_to_the_rooms_are_not_followed(make_tree: MakeTree) -> None:
    files = make_tree({"assay/one.py": "", "assay/train/two.py": "", "train/two.py": "import os"})

    assert sorted(files) == ["assay.one", "assay.train.two"]
    assert files["assay.train.two"].room == "train"
    assert files["assay.train.two"].tree.body


def test_figures_of_a_room(make_tree: MakeTree) -> None:
    files = make_tree(
        {
            "assay/errors.py": "",
            "train/__init__.py": "",
            "train/a/__init__.py": "",
            "train/a/x.py": "from assay import errors\nfrom assay.train.a import y",
            "train/a/y.py": "def f():\n    from assay.train.b import z",
            "train/b/__init__.py": "",
            "train/b/z.py": "if TYPE_CHECKING:\n    from assay.train.a import x",
            "train/loop.py": "import assay.train.a.x\ndef train_on(): ...\ndef other(): ...",
            "train/aside.py": "import assay.train.loop",
        }
    )
    arrows = find_arrows(files)

    figures = measure_room(files, arrows, "train")

    assert (figures.files, figures.packages, figures.layers) == (5, 2, 5)
    assert figures.arrows == 5, "x-y, y-z, z-x for types, loop-x, aside-loop; none to the hall"
    assert figures.package_arrows == 3, "a-b, b-a for types, loose files to a"
    assert (figures.fullest, figures.fullest_files) == ("assay.train", 2)
    assert close_over(files, arrows, "train", "train_on") == {
        "assay.train.a.x",
        "assay.train.a.y",
        "assay.train.b.z",
    }
    with pytest.raises(ValueError, match="0 files of train define gone"):
        close_over(files, arrows, "train", "gone")


def test_this_tree_is_the_whole_product(files: dict[str, File]) -> None:
    assert {"assay", "assay.cli", "assay.audit", "assay.diagnose"} <= set(files)
    assert not any(module.startswith(("assay.tests", "tests", "bench")) for module in files)
