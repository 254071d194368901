"""Which options a checkout's verbs have, and which of them no command of the fixed set uses."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.versions.case import Case

# Asked of the checkout in a process of its own: where its modules lie, and click's parameters.
_ASK = """
import json, sys
import click
import assay
from assay.cli import commands
context = click.Context(commands)
verbs = {}
for verb in commands.list_commands(context):
    command = commands.get_command(context, verb)
    verbs[verb] = [
        {"names": [*each.opts, *each.secondary_opts],
         "choices": [*map(str, each.type.choices)] if isinstance(each.type, click.Choice) else []}
        for each in command.params if isinstance(each, click.Option)
    ]
ours = {n: m.__file__ for n, m in sys.modules.items()
        if n.partition(".")[0] == "assay" and getattr(m, "__file__", None)}
versions = {}
for name in ("click", "numpy", "pyarrow", "polars", "numba", "altair", "vl-convert-python", "torch",
             "safetensors", "msgspec", "rich"):
    from importlib.metadata import PackageNotFoundError, version
    try:
        versions[name] = version(name)
    except PackageNotFoundError:
        versions[name] = "missing"
json.dump({"version": assay.__version__, "python": sys.version.split()[0], "libraries": versions,
           "modules": ours, "verbs": verbs}, sys.stdout)
"""
# Options that no command of the set carries out, each with its reason.
EXCUSED = {
    ("train", "label_smoothing"): "refused by design; the refusal is one of the commands",
    ("compare", "label_smoothing"): "refused by design; the refusal is one of the commands",
}
_CARRIED_OUT = (0, 1, 4)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout as it says itself: its version, libraries, and options by verb."""

    folder: Path
    facts: dict[str, Any]

    @property
    def verbs(self) -> dict[str, list[dict[str, Any]]]:
        """Each verb's options: `names` as they are written, `choices` where they are fixed."""
        found: dict[str, list[dict[str, Any]]] = self.facts["verbs"]
        return found


def ask_checkout(folder: Path, python: str, environment: Mapping[str, str]) -> Checkout:
    """Import assay as the commands will, and ask it what it is.

    Raises:
        SystemExit: It cannot be imported, or a module of it comes from another place.
    """
    done = subprocess.run(
        [python, "-c", _ASK], env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{folder}: assay cannot be imported by {python}:\n{done.stderr}")
    facts = json.loads(done.stdout)
    root = folder.resolve()
    elsewhere = [
        f"{name} ({file})"
        for name, file in facts.pop("modules").items()
        if not Path(file).resolve().is_relative_to(root)
    ]
    if elsewhere:
        raise SystemExit(f"not imported from {folder}: {', '.join(elsewhere[:5])}")
    return Checkout(folder, facts)


def list_unused(
    verbs: Mapping[str, Iterable[Mapping[str, Any]]], cases: Iterable[Case]
) -> list[str]:
    """Name each option that no command carries out, and each fixed choice that none asks for.

    Those in EXCUSED are left out; an excuse for an option that is used, or is not there, is named.
    """
    carried, asked = _gather(cases)
    found, excused = [], set()
    for verb, options in verbs.items():
        for option in options:
            names = {_plain(name) for name in option["names"]}
            if (verb, *names) in EXCUSED:
                excused.add((verb, *names))
            elif not names & carried.get(verb, set()):
                found.append(f"{verb} {option['names'][0]}: no command carries it out")
            found += [
                f"{verb} {option['names'][0]} {choice}: no command asks for it"
                for choice in option["choices"]
                if not any((name, choice) in asked.get(verb, set()) for name in names)
            ]
    for key in EXCUSED:
        if key not in excused or key[1] in carried.get(key[0], set()):
            found.append(f"{' '.join(key)}: excused, and used or not there")
    return found


def _gather(
    cases: Iterable[Case],
) -> tuple[dict[str, set[str]], dict[str, set[tuple[str, str]]]]:
    """Gather by verb the options of commands that were carried out, and (option, value) of all."""
    carried: dict[str, set[str]] = {}
    asked: dict[str, set[tuple[str, str]]] = {}
    for each in cases:
        verb, words = each.argv[0] if each.argv else "", each.argv[1:]
        for place, word in enumerate(words):
            if word.startswith("-") and len(word) > 1:
                name, sign, value = word.partition("=")
                value = value if sign else "".join(words[place + 1 : place + 2])
                if each.code != 2:
                    asked.setdefault(verb, set()).add((_plain(name), value))
                if each.code in _CARRIED_OUT:
                    carried.setdefault(verb, set()).add(_plain(name))
    return carried, asked


def _plain(name: str) -> str:
    """Write an option without its dashes; `_` and `-` are one.

    >>> _plain("--max-iters"), _plain("-o")
    ('max_iters', 'o')
    """
    return name.lstrip("-").replace("-", "_")


def default_python() -> str:
    """Return the interpreter that runs this."""
    return sys.executable
