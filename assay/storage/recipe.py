"""What makes a folder, stated once: used to seal it, and to recognise it when it is finished."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

import assay
from assay.errors import InputError, UsageError
from assay.storage.manifest import MANIFEST, FileEntry, Manifest, check_file, read_manifest
from assay.storage.sealed_folder import seal_folder
from assay.terminal.text import show_line

_INSIDE = "runs/"  # begins the names of parents that lie in the folder itself
_OTHER_INPUTS = "of other inputs"
_SPLITS = "splits"  # a setting that is one a shard: other inputs
_SHOWN = {"settings": "arms"}  # a comparison's own key: what sets each arm apart
# What a folder was made from, as a message names it where it is another; else "another NAME".
_OTHERS = {
    "bins": "other bins",
    "init": "other weights",
    "old": "other old data",
    "new": "other new data",
    "held out": "other held-out data",
    "also": "another second set",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What makes a folder: the same recipe seals it, and recognises it when it is finished.

    Attributes:
        kind: Of the folder, e.g. "bins".
        settings: As the manifest holds them.
        word_rule: The version of the word rule, where words were counted.
        tokenizer: What the ids were made with.
        parents: The sha256 of the manifests of the folders that it is made from.
        free: Settings under `config` that may differ in a finished folder: they decide how fast
            and where it is made, not what.
        printed: Files that are read when the result is printed again: hashed before.
    """

    kind: str
    settings: Mapping[str, Any]
    word_rule: str | None = None
    tokenizer: dict[str, Any] | None = None
    parents: dict[str, str] = field(default_factory=dict)
    free: Collection[str] = ()
    printed: Collection[str] = ()

    def find_finished(self, folder: Path, inputs: Iterable[FileEntry] = ()) -> Manifest | None:
        """Return the manifest of a folder that this recipe finished; None if none is finished.

        Args:
            folder: Where it would lie.
            inputs: What the manifest would list. They are asked for last, one by one: their
                sha256 takes reading them.

        Raises:
            UsageError: The folder holds something else; the message names what differs.
            IntegrityError: A file in it is missing, or its size, or the sha256 of one that is
                `printed`, is not its manifest's.
        """
        if not (folder / MANIFEST).exists():
            return None
        try:
            found = read_manifest(folder)
        except InputError as error:
            raise refuse(folder, "whose manifest cannot be read") from error
        what = list(self._find_differences(found))
        # Takes reading them: asked last, and none after the first that differs.
        if not what and any(entry != asked for entry, asked in zip_longest(found.inputs, inputs)):
            what = [_OTHER_INPUTS]
        if what:
            raise refuse(folder, ", ".join(what))
        for entry in found.outputs:
            check_file(folder, entry, hashes=entry.name in self.printed)
        return found

    def _find_differences(self, found: Manifest) -> Iterator[str]:
        """Say in what a manifest differs, but for its inputs' contents."""
        if found.kind != self.kind:  # nothing else can be held against it
            yield f"of kind {found.kind}"
            return
        if found.tool != name_tool():
            yield f"by {found.tool}, this is {name_tool()}"
        changed = find_changed(found.settings, self.settings, self.free)
        if named := [name for name in changed if name != _SPLITS]:
            yield f"with other settings ({', '.join(named)})"
        if (found.word_rule, found.tokenizer) != (self.word_rule, as_json(self.tokenizer)):
            yield "by another word rule or tokenizer"
        if others := _find_others(found.parents, self.parents):
            yield f"made from {' and '.join(others)}"
        if _SPLITS in changed:
            yield _OTHER_INPUTS

    def seal(
        self,
        folder: Path,
        *,
        outputs: Sequence[FileEntry],
        totals: dict[str, Any] | None = None,
        inputs: Sequence[FileEntry] = (),
        inside: Mapping[str, str] | None = None,
    ) -> Manifest:
        """Write the manifest of a folder that was claimed and filled; it is finished then.

        Args:
            folder: As `claim_folder` has it.
            outputs: The files in it.
            totals: The stage's own counts.
            inputs: The files that it was made from.
            inside: The sha256 of manifests of folders in it, by their names: `runs/0-0`.
        """
        manifest = Manifest(
            kind=self.kind,
            tool=name_tool(),
            settings=dict(self.settings),
            inputs=list(inputs),
            outputs=list(outputs),
            word_rule=self.word_rule,
            tokenizer=self.tokenizer,
            totals=totals or {},
            parents=self.parents | dict(inside or {}),
        )
        return seal_folder(folder, manifest)


def name_tool() -> str:
    """Name this program in its version, as manifests do."""
    return f"assay {assay.__version__}"


def refuse(folder: Path, what: str) -> UsageError:
    """Make the error that says what of a finished folder differs from what is asked for."""
    return UsageError(
        f"{folder} holds a finished run already, {what}; name another output, or remove it",
        "output",
    )


def say_again(folder: Path, what: str, done: str) -> str:
    """Say that a folder is finished already, and that its result is printed.

    >>> say_again(Path("run"), "run", "trained")
    'run already holds this run; nothing was trained again'
    """
    these = "these" if what == "bins" else "this"
    return f"{show_line(str(folder), 200)} already holds {these} {what}; nothing was {done} again"


def find_changed(
    found: dict[str, Any], asked: Mapping[str, Any], free: Collection[str] = ()
) -> list[str]:
    """Name the settings that differ from those of a manifest, which were JSON meanwhile.

    >>> find_changed({"config": {"seed": 0, "device": "cpu"}}, {"config": {"seed": 1}}, {"device"})
    ['seed']
    """
    wanted = as_json(asked)
    missing, changed = object(), []
    for name in found | wanted:
        one, other = found.get(name, missing), wanted.get(name, missing)
        if name == "config" and isinstance(one, dict) and isinstance(other, dict):
            changed += [inner for inner in find_changed(one, other) if inner not in free]
        elif one != other:
            changed.append(_SHOWN.get(name, name))
    return list(dict.fromkeys(changed))


def _find_others(found: dict[str, str], asked: dict[str, str]) -> list[str]:
    """Say of what a folder was made that is asked for otherwise."""
    known = {name: sha256 for name, sha256 in found.items() if not name.startswith(_INSIDE)}
    return [
        _OTHERS.get(name, f"another {name}")
        for name in known | asked
        if known.get(name) != asked.get(name)
    ]


def as_json(value: Any) -> Any:
    """Return a value as it comes back from a manifest.

    >>> as_json({"splits": ("train", "val")})
    {'splits': ['train', 'val']}
    """
    return msgspec.json.decode(msgspec.json.encode(value))
