"""How to prepare: what to drop and what to hold out, checked against the audit."""

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import UNSET

from assay.corpus.files.expand import expand_inputs
from assay.errors import UsageError
from assay.formats.audit import Audit
from assay.paths import AnyPaths, to_texts
from assay.prepare.leaks.measures import Measures, choose_measures
from assay.prepare.selection import KEEP, REASONS, Selection
from assay.storage.fingerprint import hash_file

_MAX_NAMED = 3  # shards in a command; of more, the folder that holds them
_VAL_SHARE = 0.005  # of clusters, where nothing else is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareSettings:
    """How to prepare. Defaults as documented in `assay prepare --help`.

    Attributes:
        drop: "none", or some of exact, near, leaked, empty: joined by commas, or one by one.
        keep: Which of documents that repeat each other stays, "longest" or "first".
        val_share: Share of clusters to hold out, in (0, 1); 0.005 where nothing else is asked for.
        val_tokens: Or: hold out clusters until they have so many tokens.
        val: Or: audited shards to hold out whole; an audit made with `val` has them already.
        train_tokens: Keep training documents, in the order of the seed, until they have so many
            tokens: a smaller number keeps a part of what a larger one keeps.
        seed: Decides the split and the order.
        threshold: Another Jaccard than the audit's from which on texts are near duplicates: no
            lower than the one from which on it keeps pairs.
        ngram: Unit and length of what validation documents may not share with train ("words:13"),
            the audit's where nothing is asked for; "none" looks for nothing.
        boilerplate: Clusters of train up to which a shared n-gram counts; the audit's where nothing
            is asked for.
    """

    drop: str | Iterable[str] = REASONS
    keep: str = "longest"
    val_share: float | None = None
    val_tokens: int | None = None
    val: AnyPaths = ()
    train_tokens: int | None = None
    seed: int = 0
    threshold: float | None = None
    ngram: str | None = None
    boilerplate: int | None = None

    def select(self, audit: Audit) -> Selection:
        """Check the settings against an audit.

        Raises:
            UsageError: They contradict each other, one is out of range, or a shard to hold out was
                not audited.
        """
        val = to_texts(self.val)
        self._check_ranges()
        given = {"val_share": self.val_share, "val_tokens": self.val_tokens, "val": val or None}
        asked = [name for name, value in given.items() if value is not None]
        if len(asked) > 1:
            raise UsageError("choose one of val_share, val_tokens and val", *given)
        splits = audit.manifest.settings["splits"]
        audited = [index for index, split in enumerate(splits) if split == "val"]
        if asked and audited and not val:
            raise UsageError(
                f"{audit.folder} has validation documents of its own, which are held out; leave "
                f"out {asked[0]}{_advise_all_train(audit)}",
                asked[0],
            )
        shards = tuple(audited) if not val else _match_shards(audit, val)
        if lost := [audit.manifest.inputs[index].name for index in audited if index not in shards]:
            raise UsageError(
                f"val must name each validation shard of {audit.folder}: {' '.join(lost)} would "
                "go into train",
                "val",
            )
        share = None if shards or self.val_tokens is not None else (self.val_share or _VAL_SHARE)
        return Selection(read_drop(self.drop), share, self.val_tokens, shards)

    def _check_ranges(self) -> None:
        if self.val_share is not None and not 0 < self.val_share < 1:
            raise UsageError(
                f"val_share must be between 0 and 1, got {self.val_share:g}", "val_share"
            )
        if self.val_tokens is not None and self.val_tokens < 1:
            raise UsageError(
                f"val_tokens must be at least 1, got {self.val_tokens:,}", "val_tokens"
            )
        if self.keep not in KEEP:
            raise UsageError(f"keep must be one of {', '.join(KEEP)}, got {self.keep!r}", "keep")
        if not -(1 << 63) <= self.seed < 1 << 63:
            raise UsageError(f"seed must be a 64-bit integer, got {self.seed}", "seed")

    def measure(self, audit: Audit) -> Measures | None:
        """Say what counts as shared between train and val; None where nothing is looked for.

        Raises:
            UsageError: A value is out of range.
        """
        return choose_measures(audit, self.ngram, self.boilerplate, self.threshold)

    def describe(self, selection: Selection, measures: Measures | None) -> dict[str, Any]:
        """Return the settings for a manifest."""
        return {
            "drop": sorted(selection.drop),
            "keep": self.keep,
            "val_share": selection.share,
            "val_tokens": selection.tokens,
            "val_shards": list(selection.shards),
            "seed": self.seed,
            "format": "nanogpt",
            "train_tokens": self.train_tokens,
            "ngram": measures.ngram if measures else "none",
            "boilerplate": measures.boilerplate if measures else None,
        } | ({"threshold": self.threshold} if self.threshold is not None else {})


def _advise_all_train(audit: Audit) -> str:
    """Return the command that makes an audit whose names say nothing, where names told its val."""
    told = audit.totals.told_by_name
    if told is UNSET or not told.get("val"):
        return ""
    names = [entry.name for entry in audit.manifest.inputs]
    given = names if len(names) <= _MAX_NAMED else [os.path.commonpath(names)]
    return (
        f"; they were told by name ({told['val'][0]}): to draw from all, assay audit "
        f"{shlex.join(given)} --all-train -o NEW"
    )


def read_drop(drop: str | Iterable[str]) -> frozenset[str]:
    """Read what to drop: "none", or reasons, joined by commas or one by one.

    Raises:
        UsageError: A reason is not known.
    """
    words = drop.split(",") if isinstance(drop, str) else list(drop)
    words = [word.strip() for word in words if word.strip()]
    if words == ["none"]:
        return frozenset()
    if not words or not set(words) <= set(REASONS):
        raise UsageError(
            f"drop must be none, or some of {', '.join(REASONS)}, got {drop!r}", "drop"
        )
    return frozenset(words)


def _match_shards(audit: Audit, val: list[str]) -> tuple[int, ...]:
    """Find named files among the audit's inputs, by content; of equal ones by their place."""
    return tuple(sorted({_match_shard(audit, path) for path in expand_inputs(val).files}))


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
        audited = {index: Path(known[index].name) for index in alike}
        alike = [i for i, file in audited.items() if file.exists() and file.samefile(path)]
        if not alike:
            raise UsageError(
                f"{path} is equal to several shards of {audit.folder}, {alike_names}; name the "
                "one to hold out as it was audited, from the same working directory"
            )
    return alike[0]
