"""Train twins that differ in one thing, and judge them on the same documents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.errors import UsageError
from assay.formats.bins import Bins, as_bins, as_bins_list
from assay.formats.comparison import Comparison
from assay.formats.config_checks import make_config
from assay.formats.train_config import Intervals
from assay.options import to_count
from assay.paths import AnyPath, to_path
from assay.storage.recipe import say_again
from assay.terminal.progress import Log, choose_log
from assay.train.compare.arms import Arm, make_data_arms, make_setting_arms, make_variation
from assay.train.compare.design import ComparisonDesign
from assay.train.compare.recipe import find_comparison
from assay.train.run.environment import refuse_torchrun, require_torch
from assay.train.settings.settings import AnyConfig, collect_settings


def compare_bins(
    arms: AnyPath | Bins | Iterable[AnyPath | Bins],
    output: AnyPath,
    *,
    vary: str | Mapping[str, Sequence[Any]] | None = None,
    config: AnyConfig = None,
    size: str | None = None,
    tokens: int | str | None = None,
    seeds: int | None = None,
    design: ComparisonDesign | None = None,
    held_out: AnyPath | Bins | None = None,
    also: AnyPath | Bins | None = None,
    devices: str | Sequence[str] = (),
    intervals: Intervals | None = None,
    quiet: bool = True,
    **changes: Any,
) -> Comparison:
    """Train the same model on each arm and judge which data gives the lower loss.

    Or, with `vary`, models of other settings on the same data. Each arm is trained with its own
    seeds, for the same number of tokens, and scored on the same held-out documents. The same call
    resumes what was interrupted and opens what is finished.

    Args:
        arms: Folders of bins, the baseline first; with `vary` one.
        output: A folder that is new, empty, or left unfinished or finished by the same call.
        vary: What arms differ in, the baseline's value first: "dropout=0,0.1", or a mapping of
            settings in step, {"n_layer": [12, 6], "n_embd": [384, 256]}.
        config: All settings, or a file that has some; its `seed` is the root of all seeds.
        size: "5M", "30M", "40M-seed" or "124M": sets layers, heads, width and block.
        tokens: Budget of a run (100_000_000 or "100M"); sets `max_iters`.
        seeds: Runs an arm, 3 by default; looks at several numbers of them: see `design`.
        design: Looks, margins, and what else is declared before.
        held_out: Bins whose val documents are scored; by default those of the arms.
        also: Bins whose val documents are scored apart from the verdict.
        devices: Train there; several get a process and a run at a time each.
        intervals: Steps between lines of the metrics, scorings and checkpoints.
        quiet: No progress on stderr.
        **changes: Settings by name, over those of `config` and `size`.

    Raises:
        UsageError: A path or a setting is wrong, or arms have no held-out documents in common.
        IntegrityError: A file is not what its manifest says.
        Interrupted: A signal asked for it; every run under way is saved.
    """
    refuse_torchrun("compare")
    log, budget = choose_log(quiet), to_count(tokens, "tokens")
    named = collect_settings(config, changes, size=size, tokens=budget, log=log)
    made = _make_arms(as_bins_list(arms), vary, named, budget, log)
    if (number := to_count(seeds, "seeds")) is not None:
        if design is not None and len(design.looks) > 1:
            raise UsageError("seeds and looks exclude each other; leave one of them out", "seeds")
        design = replace(design or ComparisonDesign(), looks=(number,))
    scored, second = (None if each is None else as_bins(each) for each in (held_out, also))
    return compare_arms(made, to_path(output), design=design, held_out=scored, also=second,
                        intervals=intervals, log=log,
                        devices=[devices] if isinstance(devices, str) else devices)  # fmt: skip


def _make_arms(
    bins: list[Bins],
    vary: str | Mapping[str, Sequence[Any]] | None,
    settings: dict[str, Any],
    tokens: int | None,
    log: Log | None,
) -> list[Arm]:
    config = make_config(settings, tokens=tokens, log=log)
    if vary is None:
        return make_data_arms(bins, config)
    if len(bins) != 1:
        raise UsageError(
            f"vary compares settings on one folder of bins, got {len(bins)} folders", "vary"
        )
    return make_setting_arms(bins[0], make_variation(vary), settings, tokens=tokens)


def compare_arms(
    arms: Sequence[Arm],
    output: Path,
    *,
    design: ComparisonDesign | None = None,
    held_out: Bins | None = None,
    also: Bins | None = None,
    intervals: Intervals | None = None,
    devices: Sequence[str] = (),
    log: Log | None = None,
) -> Comparison:
    """Train every arm with several seeds and judge each against the first.

    Gates come before any training: where one fails the verdict is *invalid* and nothing is trained.
    The same call resumes where an interrupted one stopped, run by run and look by look; what it
    finished is opened as it is.

    Args:
        arms: The baseline, then one or more others.
        output: A folder that is new, empty, or left unfinished or finished by the same call.
        design: Seeds, margins and what else is declared before.
        held_out: Bins whose val documents are scored; by default those of the arms.
        also: Bins whose val documents are scored apart.
        intervals: How often runs log and save themselves.
        devices: Train there; one run on each at once, in processes, where there are several.
        log: Called with lines of progress.

    Raises:
        UsageError: A design that contradicts itself, no common held-out documents, or a bin too
            small.
    """
    design, intervals = design or ComparisonDesign(), intervals or Intervals()
    found = find_comparison(
        output, arms, design, held_out=held_out, also=also, evaluate=intervals.evaluate
    )
    if found is not None:
        if log:
            log(say_again(output, "comparison", "trained"))
        return Comparison(output, found)
    require_torch()
    from assay.train.compare.looks import run_comparison

    verdict = run_comparison(
        arms,
        output,
        design,
        held_out=held_out,
        also=also,
        intervals=intervals,
        devices=devices,
        log=log or (lambda line: None),
    )
    return Comparison(output, verdict)
