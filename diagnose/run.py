"""From a log to a diagnosis, and the folder that keeps it."""

from dataclasses import dataclass
from pathlib import Path

from assay.diagnose.analysis.run_analysis import RunAnalysis, analyse_run
from assay.diagnose.answer.result import make_result
from assay.diagnose.answer.terminal import describe_diagnosis
from assay.diagnose.hypotheses.weigh import weigh
from assay.diagnose.inputs.run_inputs import find_data, find_plan
from assay.diagnose.logs.read_log import read_log
from assay.diagnose.recipe import keep_diagnosis
from assay.formats.diagnosis import DIAGNOSIS, DIAGNOSIS_TEXT, Diagnosis, DiagnosisResult
from assay.laws.plans import write_plan
from assay.options import to_count
from assay.paths import AnyPath, to_path
from assay.storage.manifest import MANIFEST, hash_manifest
from assay.storage.recipe import Recipe
from assay.terminal.text import dump_json


def diagnose_log(
    log: AnyPath,
    *,
    config: AnyPath | None = None,
    audit: AnyPath | None = None,
    bins: AnyPath | None = None,
    unique_tokens: int | str | None = None,
    checkpoint: AnyPath | None = None,
    format: str | None = None,
    output: AnyPath | None = None,
) -> Diagnosis:
    """Weigh why a loss is flat. Nothing is trained, and no config is executed.

    Args:
        log: A training log, the folder of a run, or - for standard input.
        config: A nanoGPT config file and overrides, as `assay.read_plan` reads them.
        audit: An audit of the run's data: unique tokens, leaks.
        bins: Or the bins it was trained on.
        unique_tokens: Or its unique tokens (730_000_000 or "0.73B").
        checkpoint: A nanoGPT checkpoint: its settings, where there is no config.
        format: The log's format; None to detect it.
        output: A folder that keeps it; None to keep nothing.

    Raises:
        UsageError: A path or a setting is wrong, or `output` holds something else.
        InputError: The log is empty, binary, or of no known format.

    Cost: about a second for a log of 30 MB.
    """
    weighed = weigh_log(
        to_path(log),
        config=None if config is None else write_plan(config),
        audit=None if audit is None else to_path(audit),
        bins=None if bins is None else to_path(bins),
        unique_tokens=to_count(unique_tokens, "unique_tokens"),
        checkpoint=None if checkpoint is None else to_path(checkpoint),
        format=format,
    )
    folder = None if output is None else to_path(output)
    if folder is not None:
        weighed.keep(folder)
    return Diagnosis(weighed.result, weighed.describe(), folder)


@dataclass(frozen=True, slots=True)
class WeighedLog:
    """A log that was weighed: the run as measured, all that is said of it, and what makes both."""

    run: RunAnalysis
    result: DiagnosisResult
    recipe: Recipe

    def describe(self, screen: int | None = None) -> str:
        """Lay it out, likeliest cause first, for a terminal of so many columns or a file."""
        return describe_diagnosis(self.run, self.result, screen)

    def keep(self, folder: Path) -> None:
        """Write `diagnosis.json` and `diagnosis.txt`. Errors as in `keep_diagnosis`."""
        files = {
            DIAGNOSIS: f"{dump_json(self.result, indent=2)}\n".encode(),
            DIAGNOSIS_TEXT: f"{self.describe()}\n".encode(),
        }
        keep_diagnosis(folder, self.recipe, self.run.log.list_files(), files)


def weigh_log(
    log: Path,
    *,
    config: str | None = None,
    audit: Path | None = None,
    bins: Path | None = None,
    unique_tokens: int | None = None,
    checkpoint: Path | None = None,
    format: str | None = None,
) -> WeighedLog:
    """Weigh a log, and keep nothing. Arguments and errors as in `diagnose_log`."""
    data = find_data(log, audit, bins, unique_tokens)
    read = read_log(log, format)
    run = analyse_run(read, find_plan(read, log, config, checkpoint), data)
    result = make_result(run, weigh(run, config=config, bins=bins))
    asked = {"config": config, "format": format, "checkpoint": checkpoint}
    folders = {"audit": audit, "bins": bins}
    recipe = Recipe(
        kind="diagnosis",
        # The tokens that were handed over, doubted or not.
        settings={"unique_tokens": run.doubt.unique_tokens if run.doubt else run.data.unique}
        | {name: str(value) for name, value in asked.items() if value is not None},
        parents={
            name: hash_manifest(folder)
            for name, folder in folders.items()
            if folder is not None and (folder / MANIFEST).is_file()
        },
        printed=[DIAGNOSIS, DIAGNOSIS_TEXT],
    )
    return WeighedLog(run, result, recipe)
