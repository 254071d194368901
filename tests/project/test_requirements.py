"""What the product imports is what `setup.cfg` says that it needs: no more, and nothing by chance.

Imports inside functions count; those of type checkers do, too. That the wheel runs with what it
declares, and with nothing else, is shown by `make test-dist`.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from configparser import ConfigParser

import pytest

from tests.structure.tree import ROOT, read_tree

# Where a distribution is not called what it is imported by.
DISTRIBUTIONS = {
    "functorch": "torch",
    "google": "protobuf",
    "tiktoken_ext": "tiktoken",
    "vl_convert": "vl-convert-python",
}
# Loaded by a name that is put together at run time, or started as a program.
BY_NAME = {"trackio": "train/run/metrics.py"}
PROGRAMS = {"mypy", "ruff", "pytest-timeout", "pytest-xdist", "build", "twine"}
FOR_US = {"dev", "release"}  # extras
OWN = {"assay", "bench", "tests"}


def name_distributions(tree: ast.Module) -> set[str]:
    """Return the distributions that a file imports, at its top or anywhere else."""
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(str(node.module))
    tops = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - OWN
    return {DISTRIBUTIONS.get(top, top) for top in tops}


def find_imports(folder: str) -> dict[str, set[str]]:
    """Return which files below a folder of ours that is not installed import each distribution."""
    found = defaultdict(set)
    for path in sorted((ROOT / folder).rglob("*.py")):
        for name in name_distributions(ast.parse(path.read_text(encoding="utf-8"))):
            found[name].add(path.relative_to(ROOT).as_posix())
    return found


def read_requirements() -> dict[str, set[str]]:
    """Return the names that `setup.cfg` requires, by extra; `core` for those of every user."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = {"core": config["options"]["install_requires"]}
    lists |= dict(config["options.extras_require"])
    return {
        extra: set(re.findall(r"^[\w-]+", text.strip(), flags=re.MULTILINE))
        for extra, text in lists.items()
    }


@pytest.fixture(scope="module")
def imported() -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for module, file in read_tree().items():
        for name in name_distributions(file.tree):
            found[name].add(module)
    for name, file in BY_NAME.items():
        assert f'"{name}"' in (ROOT / file).read_text(encoding="utf-8")
        found[name].add(file)
    return found


def test_what_the_product_imports_is_declared(imported: dict[str, set[str]]) -> None:
    required = read_requirements()
    declared = set.union(*(names for extra, names in required.items() if extra not in FOR_US))

    assert {name: imported[name] for name in set(imported) - declared} == {}


def test_what_is_declared_is_imported(imported: dict[str, set[str]]) -> None:
    for extra, names in read_requirements().items():
        if extra not in FOR_US:
            assert names - set(imported) == set(), extra


def test_what_the_tests_import_is_declared() -> None:
    required = read_requirements()
    declared = set.union(*required.values())
    imported = find_imports("tests")

    assert {name: imported[name] for name in set(imported) - declared} == {}
    used = PROGRAMS | set(imported) | set(find_imports("bench"))  # peers' imports, too
    assert required["dev"] | required["release"] <= used


def test_an_import_inside_a_function_is_seen() -> None:
    source = "import os\n\ndef draw():\n    from vl_convert import a\n    import scipy.special"

    assert name_distributions(ast.parse(source)) == {"scipy", "vl-convert-python"}


def test_outside_of_train_extras_are_asked_for_by_readers_of_foreign_files_alone() -> None:
    required = read_requirements()
    extras = set.union(*required.values()) - required["core"]

    found = {
        (file.room, name)
        for file in read_tree().values()
        for name in name_distributions(file.tree) & extras
        if file.room != "train"
    }

    readers = ("torch", "tensorboard", "wandb", "protobuf")  # of ckpt.pt, and of two logs
    assert found == {("diagnose", name) for name in readers}


CORE = """
import importlib, sys
for name in {blocked!r}:
    sys.modules[name] = None  # an import of it fails
for name in {modules!r}:
    importlib.import_module(name)
"""


def test_all_rooms_but_train_are_imported_without_any_extra() -> None:
    required = read_requirements()
    extras = set.union(*required.values()) - required["core"]
    extras -= required["dev"] | required["release"]
    names = {top for top, name in DISTRIBUTIONS.items() if name in extras} | extras
    modules = [
        module
        for module, file in read_tree().items()
        if file.room != "train" and module != "assay.__main__"
    ]
    assert {"torch", "wandb"} < names
    assert "assay.audit.run" in modules

    script = CORE.format(blocked=sorted(names), modules=modules)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
