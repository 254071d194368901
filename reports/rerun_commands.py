"""The commands that make folders again, from the settings in their manifests."""

import shlex
from typing import Any

from assay.formats.comparison import read_verdict
from assay.reports.sources.sources import AuditSource, BinsSource, Sources, TrainSource
from assay.terminal.text import show_line

MAX_NAMED = 50  # input files in a command; longer lists are cut
_AUDIT_OPTIONS = (
    *("text_column", "tokenizer", "threshold", "bands", "rows", "shingle", "signature"),
    "invalid_utf8",
)
_PREPARE_OPTIONS = ("keep", "val_share", "val_tokens", "train_tokens", "seed")


def list_commands(sources: Sources) -> list[str]:
    """Write a command for each folder but a run, in the order of the work.

    A folder that the report does not have is named by a word in capitals.
    """
    audits = {source.fingerprint: str(source.audit.folder) for source in sources.audits}
    bins = {source.fingerprint: str(source.bins.folder) for source in sources.bins}
    return [
        *(_audit_again(source) for source in sources.audits),
        *(_prepare_again(source, audits) for source in sources.bins),
        *(_compare_again(source, bins) for source in sources.comparisons),
        *(_probe_again(source, bins) for source in sources.probes),
        *(_diagnose_again(source, audits, bins) for source in sources.diagnoses),
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
    verdict = read_verdict(source.folder)
    arms = [
        bins.get(parents.get(f"arm {place}", ""), arm.name)
        for place, arm in enumerate(verdict.arms)
    ]
    varied = _write_variation(settings.get("settings"))
    if varied:
        arms = [bins.get(parents.get("arm 0", ""), "BINS"), "--vary", varied]
    looks = settings.get("looks")
    if isinstance(looks, list) and len(looks) > 1:
        often = ["--looks", ",".join(map(str, looks))]
    else:
        often = ["--seeds", str(settings.get("seeds", verdict.seeds))]
    words = ["assay", "compare", *arms, *often, "--delta", f"{verdict.delta:g}"]
    words += _name_options(settings, ("not_worse_by", "seed_sd", "held_out_documents"))
    if settings.get("allow_leaked") is True:
        words.append("--allow-leaked")
    judged = parents.get("held out")
    if judged is not None and judged != parents.get("arm 0"):
        words += ["--held-out", bins.get(judged, "BINS")]
    if "also" in parents:
        words += ["--also", bins.get(parents["also"], "BINS")]
    config = settings.get("config")
    if isinstance(config, dict):
        for name, value in config.items():
            if value is not None:
                words += [
                    f"--{name}",
                    str(value).lower() if isinstance(value, bool) else str(value),
                ]
    return _join([*words, "-o", str(source.folder)])


def _probe_again(source: TrainSource, bins: dict[str, str]) -> str:
    parents, settings = source.manifest.parents, source.manifest.settings
    words = ["assay", "probe", str(settings.get("checkpoint", "CHECKPOINT"))]
    for side in ("old", "new"):
        words += [f"--{side}", bins.get(parents.get(side, ""), side.upper())]
    if (judged := parents.get("held out")) != parents.get("old"):
        words += ["--held-out", bins.get(judged or "", "BINS")]
    names = ("steps", "seeds", "seed", "learning_rate", "held_out_documents")
    return _join([*words, *_name_options(settings, names), "-o", str(source.folder)])


def _diagnose_again(source: TrainSource, audits: dict[str, str], bins: dict[str, str]) -> str:
    manifest = source.manifest
    log = manifest.inputs[0].name if manifest.inputs else "LOG"
    words = ["assay", "diagnose", log]
    words += _name_options(manifest.settings, ("config", "checkpoint", "format"))
    for name, known, capital in (("audit", audits, "AUDIT"), ("bins", bins, "BINS")):
        if name in manifest.parents:
            words += [f"--{name}", known.get(manifest.parents[name], capital)]
    if not {"audit", "bins"} & set(manifest.parents):
        words += _name_options(manifest.settings, ("unique_tokens",))
    return _join([*words, "-o", str(source.folder)])


def _write_variation(settings: object) -> str | None:
    """Write what sets the arms apart as --vary takes it; None where they differ in data."""
    arms = settings if isinstance(settings, list) else []
    if not arms or not all(isinstance(arm, dict) and arm for arm in arms):
        return None
    names = list(arms[0])
    values = ("+".join(str(arm.get(name)) for name in names) for arm in arms)
    return f"{'+'.join(map(str, names))}={','.join(values)}"


def _name_options(settings: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    words = []
    for name in names:
        if settings.get(name) is not None:
            words += [f"--{name.replace('_', '-')}", str(settings[name])]
    return words


def _join(words: list[str]) -> str:
    return " ".join(show_line(shlex.quote(word), 500) for word in words)
