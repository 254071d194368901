"""The commands that reproduce folders, from the settings in their manifests."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from assay.formats.comparison import Verdict
from assay.formats.train_config import record_config
from assay.reports.sources.sources import Source, Sources
from assay.terminal.text import show_line

MAX_NAMED = 50  # input files in a command; longer lists are cut
_AUDIT_OPTIONS = (
    *("text_column", "tokenizer", "threshold", "bands", "rows", "shingle", "signature", "near"),
    "invalid_utf8",
)
_PREPARE_OPTIONS = ("keep", "val_share", "val_tokens", "train_tokens", "seed", "threshold")
_PROBE_OPTIONS = ("steps", "seeds", "seed", "learning_rate", "held_out_documents")

# The folders of the report by the sha256 of their manifests.
Known = Mapping[str, str]


def list_commands(sources: Sources) -> Iterator[str]:
    """Write a command for each folder but a run, in the order of the work.

    A folder that the report does not have is named by a word in capitals.
    """
    known = {source.fingerprint: str(source.folder) for source in sources}
    for verb, write, folders in (
        ("audit", _audit, sources.audits),
        ("prepare", _prepare, sources.bins),
        ("compare", _compare, sources.comparisons),
        ("probe", _probe, sources.probes),
        ("diagnose", _diagnose, sources.diagnoses),
    ):
        for source in folders:
            words = ["assay", verb, *write(source, known), "-o", str(source.folder)]
            yield " ".join(show_line(shlex.quote(word), 500) for word in words)


def _audit(source: Source[Any], known: Known) -> list[str]:
    manifest, words = source.manifest, list[str]()
    if "audit" in manifest.parents:
        words = ["--from", known.get(manifest.parents["audit"], "AUDIT")]
        return words + _name_options(manifest.settings, ("threshold",))
    splits = _list_texts(manifest.settings, "splits")
    for index, entry in enumerate(manifest.inputs[:MAX_NAMED]):
        words += ["--val", entry.name] if splits[index : index + 1] == ["val"] else [entry.name]
    if len(manifest.inputs) > MAX_NAMED:
        words.append("...")
    words += _name_options(manifest.settings, _AUDIT_OPTIONS)
    if manifest.settings.get("trust_token_count") is True:
        words.append("--trust-token-count")
    elif manifest.settings.get("keep_tokens") is False:
        words.append("--no-token-cache")
    return words


def _prepare(source: Source[Any], known: Known) -> list[str]:
    manifest = source.manifest
    reasons = ",".join(_list_texts(manifest.settings, "drop")) or "none"
    words = [known.get(manifest.parents.get("audit", ""), "AUDIT"), "--drop", reasons]
    return words + _name_options(manifest.settings, _PREPARE_OPTIONS)


def _compare(source: Source[Any], known: Known) -> list[str]:
    parents, settings = source.manifest.parents, source.manifest.settings
    verdict: Verdict = source.content
    words = [
        known.get(parents.get(f"arm {place}", ""), arm.name)
        for place, arm in enumerate(verdict.arms)
    ]
    if names := [name for arm in verdict.arms[:1] for name in arm.settings]:
        values = ("+".join(str(arm.settings.get(name)) for name in names) for arm in verdict.arms)
        varied = f"{'+'.join(names)}={','.join(values)}"
        words = [known.get(parents.get("arm 0", ""), "BINS"), "--vary", varied]
    looks = verdict.declared_looks
    if len(looks) > 1:
        words += ["--looks", ",".join(map(str, looks))]
    else:
        words += ["--seeds", str(settings.get("seeds", verdict.seeds))]
    words += ["--delta", f"{verdict.delta:g}"]
    words += _name_options(settings, ("not_worse_by", "seed_sd", "held_out_documents"))
    if settings.get("allow_leaked") is True:
        words.append("--allow-leaked")
    judged = parents.get("held out")
    if judged is not None and judged != parents.get("arm 0"):
        words += ["--held-out", known.get(judged, "BINS")]
    if "also" in parents:
        words += ["--also", known.get(parents["also"], "BINS")]
    for name, value in record_config(verdict.config).items():
        if value is not None:
            words += [f"--{name}", str(value).lower() if isinstance(value, bool) else str(value)]
    return words


def _probe(source: Source[Any], known: Known) -> list[str]:
    parents, settings = source.manifest.parents, source.manifest.settings
    words = [str(settings.get("checkpoint", "CHECKPOINT"))]
    for side in ("old", "new"):
        words += [f"--{side}", known.get(parents.get(side, ""), side.upper())]
    if (judged := parents.get("held out")) != parents.get("old"):
        words += ["--held-out", known.get(judged or "", "BINS")]
    return words + _name_options(settings, _PROBE_OPTIONS)


def _diagnose(source: Source[Any], known: Known) -> list[str]:
    manifest = source.manifest
    words = [manifest.inputs[0].name if manifest.inputs else "LOG"]
    words += _name_options(manifest.settings, ("config", "checkpoint", "format"))
    for name in ("audit", "bins"):
        if name in manifest.parents:
            words += [f"--{name}", known.get(manifest.parents[name], name.upper())]
    if not {"audit", "bins"} & set(manifest.parents):
        words += _name_options(manifest.settings, ("unique_tokens",))
    return words


def _list_texts(settings: Mapping[str, Any], name: str) -> list[str]:
    """Return a setting that is a list; none of one that is none."""
    found = settings.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []


def _name_options(settings: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    return [
        word
        for name in names
        if settings.get(name) is not None
        for word in (f"--{name.replace('_', '-')}", str(settings[name]))
    ]
