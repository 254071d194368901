"""Train the branches of a checkpoint, score them, and seal what they show."""

from pathlib import Path

import msgspec

from assay.formats.bins import Bins
from assay.formats.probe import BRANCHES, PROBE, Probe, ProbeResult
from assay.formats.run import LOSS_COLUMNS, MAX_HELD_OUT, Run
from assay.formats.train_config import Intervals
from assay.storage.manifest import enter_file, hash_manifest
from assay.storage.publish import publish_bytes, sweep_temporaries
from assay.storage.recipe import Recipe, say_again
from assay.storage.sealed_folder import claim_folder
from assay.storage.tables import write_table
from assay.terminal.progress import Log
from assay.train.probe.branch_point import MIN_STEPS, BranchPoint
from assay.train.probe.outcome import CheckpointLosses, conclude_probe
from assay.train.probe.plan import ProbePlan, plan_probe
from assay.train.probe.recipe import find_probe, make_recipe
from assay.train.run.evaluate import HeldOut, Scores, score_documents
from assay.train.run.executor import RunExecutor, RunTask, derive_seed

_SCORES = "checkpoint.parquet"
_TRAIN_SCORES = "checkpoint-train.parquet"


def run_probe(
    branch_point: BranchPoint,
    old: Bins,
    new: Bins,
    output: Path,
    *,
    steps: int | None = None,
    seeds: int = 2,
    seed: int = 0,
    held_out: Bins | None = None,
    held_out_documents: int = MAX_HELD_OUT,
    intervals: Intervals | None = None,
    log: Log | None = None,
) -> Probe:
    """Probe a checkpoint that was read; arguments and errors as `probe_checkpoint` has them."""
    scored, length = held_out or old, steps or max(MIN_STEPS, round(branch_point.step / 10))
    recipe = make_recipe(
        branch_point,
        old,
        new,
        scored,
        steps=length,
        seeds=seeds,
        seed=seed,
        limit=held_out_documents,
    )
    if (found := find_probe(output, recipe, old, new, scored)) is not None:
        if log:
            log(say_again(output, "probe", "trained"))
        return Probe(output, found)
    plan = plan_probe(
        branch_point,
        old,
        new,
        steps=length,
        seeds=seeds,
        seed=seed,
        held_out=held_out,
        limit=held_out_documents,
    )
    with claim_folder(output, "probe"):
        sweep_temporaries(output / "home")
        executor = RunExecutor(plan.held_out, plan.home, intervals or Intervals(), log)
        scores = _score_checkpoint(plan, output, executor)
        runs = _train(plan, output, executor)
        result = conclude_probe(plan, output, runs, scores)
        _seal(recipe, output, result, runs)
    return Probe(output, result)


def _score_checkpoint(plan: ProbePlan, output: Path, executor: RunExecutor) -> CheckpointLosses:
    """Score the checkpoint itself: held-out documents; val and train documents of the old data."""
    initial = plan.branch_point.initial
    config = plan.branch_point.make_branch(cooldown=False, steps=plan.steps, seed=0)
    compiled = executor.get_model(config, plan.old.vocab_size, initial)
    initial.load_into(compiled.model)

    def score(documents: HeldOut) -> Scores:
        return score_documents(compiled.model, documents, compiled.device, config.eval_batch_size)

    held_out, trained = score(plan.held_out), score(plan.trained)
    home = held_out if plan.home is None else score(plan.home)
    write_table(output / _SCORES, held_out.to_table(), LOSS_COLUMNS)
    write_table(output / _TRAIN_SCORES, trained.to_table(), LOSS_COLUMNS)
    return CheckpointLosses(held_out, home, trained, compiled.model.num_parameters)


def _train(plan: ProbePlan, output: Path, executor: RunExecutor) -> dict[str, list[Run]]:
    """Train every branch in every order; branches take turns, so that a drift hits all."""
    runs: dict[str, list[Run]] = {name: [] for name in BRANCHES}
    for order in range(plan.seeds):
        seed = derive_seed(plan.seed, 0, order)  # one an order: all four branches share it
        for name in BRANCHES:
            data, schedule = name.split()
            cooldown, folder = schedule == "cooldown", f"{data}-{schedule}-{order}"
            task = RunTask(
                label=f"{name}, order {order + 1}/{plan.seeds}",
                bins=plan.old if data == "old" else plan.new,
                folder=output / "runs" / folder,
                config=plan.branch_point.make_branch(
                    cooldown=cooldown, steps=plan.steps, seed=seed
                ),
                also=output / "home" / f"{folder}.parquet",
                initial=plan.branch_point.initial,
            )
            runs[name].append(executor.execute(task))
    return runs


def _seal(recipe: Recipe, output: Path, result: ProbeResult, runs: dict[str, list[Run]]) -> None:
    text = msgspec.json.format(msgspec.json.encode(result), indent=2)
    publish_bytes(output / PROBE, text + b"\n")
    written = [PROBE, _SCORES, _TRAIN_SCORES]
    written += sorted(f"home/{path.name}" for path in (output / "home").glob("*.parquet"))
    every = [run.folder for row in runs.values() for run in row]
    recipe.seal(
        output,
        outputs=[enter_file(output / name, output) for name in written],
        totals={"causes": {cause.name: cause.state for cause in result.causes}},
        inside={f"runs/{folder.name}": hash_manifest(folder) for folder in every},
    )
