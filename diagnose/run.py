"""From a log to a diagnosis, and the folder that keeps it."""

import hashlib
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import assay
from assay.anchors import Lever
from assay.artifacts import (
    MANIFEST,
    FileEntry,
    Manifest,
    claim_folder,
    hash_manifest,
    seal_folder,
)
from assay.budgets import describe_budget
from assay.console import dump_json
from assay.diagnose.case import Case, make_case
from assay.diagnose.checkpoint import read_checkpoint
from assay.diagnose.conclude import conclude
from assay.diagnose.data import read_data
from assay.diagnose.evidence import Hypothesis
from assay.diagnose.levers import list_levers
from assay.diagnose.logs.detect import read_log
from assay.diagnose.show import describe_diagnosis
from assay.diagnose.weigh import weigh
from assay.errors import UsageError
from assay.fingerprint import hash_file
from assay.plans import Plan, read_plan
from assay.publish import publish_bytes
from assay.scaling import Range


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a log says: the case, hypotheses by likelihood, levers, and sentences.

    `asked` are the options it was asked with, `parents` the manifests of the data it was told of.
    """

    case: Case
    hypotheses: list[Hypothesis]
    levers: list[Lever]
    conclusions: list[str]
    asked: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)


def diagnose_log(
    log: Path,
    *,
    config: str | None = None,
    form: str | None = None,
    audit: Path | None = None,
    bins: Path | None = None,
    unique_tokens: int | None = None,
    checkpoint: Path | None = None,
) -> Diagnosis:
    """Weigh why a loss is flat. Nothing is trained, and no config is executed.

    Args:
        log: A training log, the folder of a run, or - for standard input.
        config: A nanoGPT config file and overrides, as `assay.plans.read_plan` reads them.
        form: The log's format; None to tell it from the contents.
        audit: An audit of the run's data: unique tokens, leaks.
        bins: Or the bins it was trained on.
        unique_tokens: Or its unique tokens.
        checkpoint: A nanoGPT checkpoint: its settings, where there is no config.

    Raises:
        UsageError: A path or a setting is wrong.
        InputError: The log is empty, binary, or of no known format.
    """
    if config is not None and checkpoint is not None:
        raise UsageError("--config and --checkpoint exclude each other; each gives the settings")
    data = read_data(audit=audit, bins=bins, unique_tokens=unique_tokens)
    case = make_case(read_log(log, form), _find_plan(log, config, checkpoint), data)
    hypotheses = weigh(case)
    given = {"config": config, "format": form, "checkpoint": checkpoint}
    return Diagnosis(
        case,
        hypotheses,
        list_levers(case, hypotheses),
        conclude(case, hypotheses),
        {name: str(value) for name, value in given.items() if value is not None},
        {
            name: hash_manifest(folder)
            for name, folder in (("audit", audit), ("bins", bins))
            if folder is not None and (folder / MANIFEST).is_file()
        },
    )


def _find_plan(log: Path, config: str | None, checkpoint: Path | None) -> Plan | None:
    if config is not None:
        return read_plan(config)
    if checkpoint is not None:
        return read_checkpoint(checkpoint)
    manifest = log / MANIFEST
    if log.is_dir() and manifest.is_file():  # a run of ours carries its settings
        return read_plan(shlex.quote(str(manifest)))
    return None


def write_diagnosis(diagnosis: Diagnosis, output: Path) -> Path:
    """Write a sealed folder: `diagnosis.json`, and `diagnosis.txt` as the terminal shows it.

    Raises:
        UsageError: The folder is in use, or holds something else.
    """
    log = diagnosis.case.log.path
    texts = {
        "diagnosis.json": dump_json(summarise(diagnosis), indent=2) + "\n",
        "diagnosis.txt": describe_diagnosis(diagnosis.case, *_rest(diagnosis)) + "\n",
    }
    with claim_folder(output, "diagnosis", resumes=False):
        entries = []
        for name, text in texts.items():
            data = text.encode()
            publish_bytes(output / name, data)
            entries.append(
                FileEntry(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
            )
        inputs = [diagnosis.case.log.entry] if diagnosis.case.log.entry is not None else []
        if not inputs and log.is_file():
            inputs = [FileEntry(name=log.name, size=log.stat().st_size, sha256=hash_file(log))]
        manifest = Manifest(
            kind="diagnosis",
            tool=f"assay {assay.__version__}",
            settings={"unique_tokens": diagnosis.case.data.unique, **diagnosis.asked},
            inputs=inputs,
            outputs=entries,
            parents=diagnosis.parents,
        )
        seal_folder(output, manifest)
    return output


def _rest(diagnosis: Diagnosis) -> tuple[list[Hypothesis], list[Lever], list[str]]:
    return diagnosis.hypotheses, diagnosis.levers, diagnosis.conclusions


def show_diagnosis(diagnosis: Diagnosis) -> str:
    """Lay a diagnosis out for a terminal, likeliest cause first."""
    return describe_diagnosis(diagnosis.case, *_rest(diagnosis))


def summarise(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain values: the same facts as the terminal's, unrounded."""
    case = diagnosis.case
    slope, forecast = case.slope, case.forecast
    return {
        "log": {
            "format": case.log.format,
            "last_step": case.step,
            "facts": dict(case.log.facts),
            "notes": [*case.log.notes, *(case.plan.notes if case.plan else ()), *case.notes],
        },
        "conclusions": diagnosis.conclusions,
        "budget": describe_budget(case.budget) if case.budget else None,
        "forecast": forecast
        and {
            "step": forecast.at_step,
            "loss": forecast.value,
            "interval": [forecast.low, forecast.high],
            "confidence": forecast.confidence,
            "drop": forecast.drop,
            "drop_sd": forecast.drop_sd,
            "cross_checks": forecast.cross_checks,
        },
        "slope": slope
        and {
            "outcome": slope.outcome,
            "drop": slope.drop,
            "interval": [slope.low, slope.high],
            "healthy": slope.expected.value,
            "more_evaluations": slope.more_evaluations,
        },
        "expected": _pair(case.expected),
        "hypotheses": [
            {
                "name": each.name,
                "level": each.level,
                "points": each.points,
                "evidence": [
                    {"points": fact.points, "sentence": fact.sentence, "direct": fact.direct}
                    for fact in each.evidence
                ],
                "missing": each.missing,
                "experiment": each.experiment,
                "tokens": each.tokens,
                "gain": _pair(each.gain),
                "gain_source": each.gain_source,
            }
            for each in diagnosis.hypotheses
        ],
        "levers": [
            {"name": x.name, "low": x.low, "high": x.high, "source": x.source}
            for x in diagnosis.levers
        ],
    }


def _pair(span: Range | None) -> list[float] | None:
    return [span.low, span.high] if span is not None else None
