"""From a log to a diagnosis, and the folder that keeps it."""

import hashlib
from pathlib import Path

from assay.diagnose.answer.conclusions import conclude
from assay.diagnose.answer.next_steps import list_next
from assay.diagnose.answer.summary import Diagnosis, summarise
from assay.diagnose.answer.terminal import describe_diagnosis
from assay.diagnose.facts.assay_run import add_own_losses, is_own_run, read_own_data, read_own_plan
from assay.diagnose.facts.case import make_case
from assay.diagnose.facts.data_facts import Data, read_data
from assay.diagnose.facts.nanogpt_checkpoint import read_checkpoint
from assay.diagnose.hypotheses.experiments import name_files
from assay.diagnose.hypotheses.levers import list_levers
from assay.diagnose.hypotheses.weigh import weigh
from assay.diagnose.logs.detect import read_log
from assay.diagnose.recipe import holds_diagnosis
from assay.errors import UsageError
from assay.laws.plans import Plan, read_plan
from assay.storage.fingerprint import hash_file
from assay.storage.manifest import MANIFEST, FileEntry, hash_manifest
from assay.storage.publish import publish_bytes
from assay.storage.recipe import Recipe
from assay.storage.sealed_folder import claim_folder
from assay.terminal.text import dump_json


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
        config: A nanoGPT config file and overrides, as `assay.laws.plans.read_plan` reads them.
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
    if is_own_run(log):
        data = read_own_data(log) if data == Data() else add_own_losses(data, log)
    case = make_case(read_log(log, form), _find_plan(log, config, checkpoint), data)
    hypotheses = name_files(weigh(case), config=config, bins=bins)
    given = {"config": config, "format": form, "checkpoint": checkpoint}
    return Diagnosis(
        case,
        hypotheses,
        list_levers(case, hypotheses),
        conclude(case, hypotheses),
        list_next(case, hypotheses),
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
    return read_own_plan(log) if is_own_run(log) else None


def write_diagnosis(diagnosis: Diagnosis, output: Path) -> Path:
    """Write a sealed folder: `diagnosis.json`, and `diagnosis.txt` as the terminal shows it.

    Where it holds this very diagnosis already, nothing is written.

    Raises:
        UsageError: The folder is in use, or holds something else; what differs is told.
        IntegrityError: It holds this diagnosis, and a file of it is missing or altered.
    """
    made = _make_files(diagnosis)
    entries = [
        FileEntry(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())
        for name, data in made.items()
    ]
    inputs = _list_inputs(diagnosis)
    recipe = Recipe(
        kind="diagnosis",
        settings={"unique_tokens": _name_unique(diagnosis), **diagnosis.asked},
        parents=diagnosis.parents,
        printed=list(made),
    )
    if holds_diagnosis(output, recipe, inputs, entries):
        return output
    with claim_folder(output, "diagnosis", resumes=False):
        for name, data in made.items():
            publish_bytes(output / name, data)
        recipe.seal(output, inputs=inputs, outputs=entries)
    return output


def _make_files(diagnosis: Diagnosis) -> dict[str, bytes]:
    texts = {
        "diagnosis.json": dump_json(summarise(diagnosis), indent=2),
        "diagnosis.txt": show_diagnosis(diagnosis),
    }
    return {name: f"{text}\n".encode() for name, text in texts.items()}


def _list_inputs(diagnosis: Diagnosis) -> list[FileEntry]:
    log = diagnosis.case.log
    if log.entry is not None:
        return [log.entry]
    path = log.path
    if not path.is_file():
        return []
    return [FileEntry(name=path.name, size=path.stat().st_size, sha256=hash_file(path))]


def _name_unique(diagnosis: Diagnosis) -> int | None:
    """Return the unique tokens that were handed over, doubted or not."""
    doubt = diagnosis.case.doubt
    return doubt.unique if doubt is not None else diagnosis.case.data.unique


def show_diagnosis(diagnosis: Diagnosis, screen: int | None = None) -> str:
    """Lay a diagnosis out, likeliest cause first, for a terminal of so many columns or a file."""
    return describe_diagnosis(
        diagnosis.case,
        diagnosis.hypotheses,
        diagnosis.levers,
        diagnosis.conclusions,
        diagnosis.next_steps,
        screen,
    )
