"""Turn options into a choice, and refuse those that contradict each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.corpus.inputs import list_inputs
from assay.errors import UsageError
from assay.formats.audit import Audit
from assay.prepare.plan import KEEP, Choice, parse_drop
from assay.storage.fingerprint import hash_file


def choose(
    audit: Audit,
    drop: str,
    keep: str,
    val_share: float | None,
    val_tokens: int | None,
    val: Sequence[str],
) -> Choice:
    """Check the options of `prepare_bins` against an audit.

    Raises:
        UsageError: They contradict each other, one is not what there is to choose from, or a shard
            to hold out was not audited.
    """
    audited = [
        index for index, split in enumerate(audit.manifest.settings["splits"]) if split == "val"
    ]
    asked = sum(option is not None for option in (val_share, val_tokens)) + bool(val)
    if asked > 1:
        raise UsageError("choose one of --val-share, --val-tokens and --val")
    if asked and audited and not val:
        raise UsageError(f"{audit.folder} was audited with --val: its val documents are held out")
    if val_share is not None and not 0 < val_share < 1:
        raise UsageError(f"--val-share is {val_share:g}, needed a share between 0 and 1")
    if val_tokens is not None and val_tokens < 1:
        raise UsageError(f"--val-tokens is {val_tokens:,}, needed at least 1")
    if keep not in KEEP:
        raise UsageError(f"--keep is {keep!r}, needed one of {', '.join(KEEP)}")
    shards = tuple(audited) if not val else _match_shards(audit, val)
    if lost := [audit.manifest.inputs[index].name for index in audited if index not in shards]:
        raise UsageError(
            f"{audit.folder} was audited with --val {' '.join(lost)}, which would go into train; "
            "name it beside the others, or leave --val out"
        )
    share = None if shards or val_tokens is not None else (val_share or 0.005)
    return Choice(parse_drop(drop), keep, share, val_tokens, shards)


def _match_shards(audit: Audit, val: Sequence[str]) -> tuple[int, ...]:
    """Find named files among the audit's inputs, by content; of equal ones by their place."""
    found = {_match_shard(audit, path) for path, _ in list_inputs(val)}
    return tuple(sorted(found))


def _match_shard(audit: Audit, path: Path) -> int:
    known, sha256 = audit.manifest.inputs, hash_file(path)
    alike = [index for index, entry in enumerate(known) if entry.sha256 == sha256]
    if not alike:
        raise UsageError(
            f"{path} is not among the shards of {audit.folder}; audit them together: "
            f"assay audit TRAIN --val {path} -o DIR"
        )
    if len(alike) > 1:
        alike_names = " and ".join(known[index].name for index in alike)
        alike = [index for index in alike if _is_file(known[index].name, path)]
        if not alike:
            raise UsageError(
                f"{path} is equal to several shards of {audit.folder}, {alike_names}; name the "
                "one to hold out as it was audited, from the same working directory"
            )
    return alike[0]


def _is_file(name: str, path: Path) -> bool:
    """Tell whether a shard is this file, by any name."""
    audited = Path(name)
    return audited.exists() and audited.samefile(path)


def describe_choice(choice: Choice, seed: int) -> dict[str, Any]:
    """Return the settings for a manifest."""
    return {
        "drop": sorted(choice.drop),
        "keep": choice.keep,
        "val_share": choice.val_share,
        "val_tokens": choice.val_tokens,
        "val_shards": list(choice.val_shards),
        "seed": seed,
        "format": "nanogpt",
    }
