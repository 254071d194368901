"""The commands that make folders again, from the settings in their manifests."""

import shlex
from typing import Any

from assay.console import show_line
from assay.reports.sources import AuditSource, BinsSource, Sources, TrainSource
from assay.reports.verdict import read_verdict

MAX_NAMED = 50  # input files in a command; longer lists are cut
_AUDIT_OPTIONS = (
    *("text_column", "tokenizer", "threshold", "bands", "rows", "shingle", "signature"),
    "invalid_utf8",
)
_PREPARE_OPTIONS = ("keep", "val_share", "val_tokens", "train_tokens", "seed")


def list_commands(sources: Sources) -> list[str]:
    """Write a command for each audit, bins and comparison, in the order of the work.

    A folder that the report does not have is named by a word in capitals.
    """
    audits = {source.fingerprint: str(source.audit.folder) for source in sources.audits}
    bins = {source.fingerprint: str(source.bins.folder) for source in sources.bins}
    return [
        *(_audit_again(source) for source in sources.audits),
        *(_prepare_again(source, audits) for source in sources.bins),
        *(_compare_again(source, bins) for source in sources.comparisons),
    ]


def _audit_again(source: AuditSource) -> str:
    manifest = source.audit.manifest
    splits = manifest.settings.get("splits")
    sides = splits if isinstance(splits, list) else []
    words = ["assay", "audit"]
    for index, entry in enumerate(manifest.inputs[:MAX_NAMED]):
        held_out = index < len(sides) and sides[index] == "val"
        words += ["--val", entry.name] if held_out else [entry.name]
    if len(manifest.inputs) > MAX_NAMED:
        words.append("...")
    words += _name_options(manifest.settings, _AUDIT_OPTIONS)
    if manifest.settings.get("trust_token_count") is True:
        words.append("--trust-token-count")
    elif manifest.settings.get("keep_tokens") is False:
        words.append("--no-token-cache")
    return _join([*words, "-o", str(source.audit.folder)])


def _prepare_again(source: BinsSource, audits: dict[str, str]) -> str:
    settings = source.bins.manifest.settings
    audit = audits.get(source.bins.manifest.parents.get("audit", ""), "AUDIT")
    drop = settings.get("drop")
    reasons = ",".join(map(str, drop)) if isinstance(drop, list) and drop else "none"
    words = ["assay", "prepare", audit, "--drop", reasons]
    words += _name_options(settings, _PREPARE_OPTIONS)
    return _join([*words, "-o", str(source.bins.folder)])


def _compare_again(source: TrainSource, bins: dict[str, str]) -> str:
    parents, settings = source.manifest.parents, source.manifest.settings
    verdict = read_verdict(source)
    arms = [
        bins.get(parents.get(f"arm {place}", ""), arm.name)
        for place, arm in enumerate(verdict.arms)
    ]
    words = [
        "assay",
        "compare",
        *arms,
        "--seeds",
        str(verdict.seeds),
        "--delta",
        f"{verdict.delta:g}",
    ]
    config = settings.get("config")
    if isinstance(config, dict):
        for name, value in config.items():
            if value is not None:
                words += [
                    f"--{name}",
                    str(value).lower() if isinstance(value, bool) else str(value),
                ]
    return _join([*words, "-o", str(source.folder)])


def _name_options(settings: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    words = []
    for name in names:
        if settings.get(name) is not None:
            words += [f"--{name.replace('_', '-')}", str(settings[name])]
    return words


def _join(words: list[str]) -> str:
    return " ".join(show_line(shlex.quote(word), 500) for word in words)
