"""Branch a checkpoint into constant and cooldown, on old data and new: schedule, or data?"""

from pathlib import Path

import msgspec

from assay.formats.bins import Bins
from assay.formats.probe import BRANCHES, PROBE, ProbeResult
from assay.formats.run import LOSS_COLUMNS, Run
from assay.storage.manifest import enter_file, hash_manifest
from assay.storage.publish import publish_bytes, sweep_temporaries
from assay.storage.recipe import Recipe, say_again
from assay.storage.sealed_folder import claim_folder
from assay.storage.tables import write_table
from assay.train.compare.design import MOST_HELD_OUT
from assay.train.compare.plan import derive_seed
from assay.train.compare.run_executor import Task, Workshop
from assay.train.probe.branch_point import Trunk
from assay.train.probe.outcome import conclude_probe
from assay.train.probe.plan import Probing, plan_probe
from assay.train.probe.recipe import find_probe, make_recipe
from assay.train.run.evaluate import Scores, score_documents
from assay.train.run.train import Pace, Say
from assay.train.runtime.compiled_model import Machine

_START = "checkpoint.parquet"
_START_TRAIN = "checkpoint-train.parquet"


def probe_checkpoint(
    trunk: Trunk,
    old: Bins,
    new: Bins,
    output: Path,
    *,
    steps: int | None = None,
    seeds: int = 2,
    seed: int = 0,
    held_out: Bins | None = None,
    most_held_out: int = MOST_HELD_OUT,
    pace: Pace | None = None,
    say: Say | None = None,
) -> ProbeResult:
    """Train four branches of a checkpoint in each of several orders, and read the table off them.

    The same call goes on where an interrupted one stopped, branch by branch; what it finished is
    opened as it is.

    Args:
        trunk: As `read_trunk` gives it.
        old: What it was trained on; its val documents are those like it.
        new: Other training data of the same tokenizer.
        output: A folder that is new, empty, or left unfinished or finished by the same call.
        steps: Of a branch; by default a tenth of the trunk's.
        seeds: Orders of the data, at least 2: their spread is the noise.
        seed: Root of the orders.
        held_out: Bins whose val documents are scored, where not the old data's.
        most_held_out: Score at most this many documents.
        pace: How often runs log and save themselves.
        say: Called with lines of progress.

    Raises:
        UsageError: Data or checkpoint do not fit together; nothing was trained.
    """
    judged = held_out or old
    length = steps or trunk.default_steps()
    recipe = make_recipe(
        trunk, old, new, judged, steps=length, seeds=seeds, seed=seed, most=most_held_out
    )
    if (found := find_probe(output, recipe, old, new, judged)) is not None:
        if say:
            say(say_again(output, "probe", "trained"))
        return found
    plan = plan_probe(
        trunk, old, new, steps=steps, seeds=seeds, seed=seed, held_out=held_out, most=most_held_out
    )
    with claim_folder(output, "probe"):
        sweep_temporaries(output / "home")
        shop = Workshop(plan.held_out, plan.home, pace or Pace(), say)
        config = trunk.branch(cooldown=False, steps=plan.steps, seed=0)
        machine = shop.find_machine(config, old.vocab_size, trunk.start)
        start, gap = _score_trunk(plan, output, machine, config.eval_batch_size)
        runs = _train(plan, output, shop)
        parameters = machine.model.num_parameters
        result = conclude_probe(plan, output, runs, start, gap, parameters)
        _seal(recipe, output, result, runs)
    return result


def _score_trunk(
    plan: Probing, output: Path, machine: Machine, batch: int
) -> tuple[Scores, tuple[Scores, Scores]]:
    """Score the checkpoint itself: held-out documents; val and train documents of the old data."""
    plan.trunk.start.place(machine.model)
    model, device = machine.model, machine.device
    start = score_documents(model, plan.held_out, device, batch)
    learnt = score_documents(model, plan.learnt, device, batch)
    home = start if plan.home is None else score_documents(model, plan.home, device, batch)
    write_table(output / _START, start.to_table(), LOSS_COLUMNS)
    write_table(output / _START_TRAIN, learnt.to_table(), LOSS_COLUMNS)
    return start, (home, learnt)


def _train(plan: Probing, output: Path, shop: Workshop) -> dict[str, list[Run]]:
    """Train every branch in every order; branches take turns, so that a drift hits all."""
    runs: dict[str, list[Run]] = {name: [] for name in BRANCHES}
    for order in range(plan.seeds):
        seed = derive_seed(plan.seed, 0, order)  # one a round: all four branches share it
        for name in BRANCHES:
            data, schedule = name.split()
            folder = f"{data}-{schedule}-{order}"
            config = plan.trunk.branch(cooldown=schedule == "cooldown", steps=plan.steps, seed=seed)
            task = Task(
                f"{name}, order {order + 1}/{plan.seeds}",
                plan.old if data == "old" else plan.new,
                output / "runs" / folder,
                config,
                output / "home" / f"{folder}.parquet",
                plan.trunk.start,
            )
            runs[name].append(shop.carry_out(task))
    return runs


def _seal(recipe: Recipe, output: Path, result: ProbeResult, runs: dict[str, list[Run]]) -> None:
    text = msgspec.json.format(msgspec.json.encode(result), indent=2)
    publish_bytes(output / PROBE, text + b"\n")
    written = [PROBE, _START, _START_TRAIN]
    written += sorted(f"home/{path.name}" for path in (output / "home").glob("*.parquet"))
    every = [run.folder for row in runs.values() for run in row]
    recipe.seal(
        output,
        outputs=[enter_file(output / name, output) for name in written],
        totals={"causes": {cause.name: cause.state for cause in result.causes}},
        inside={f"runs/{folder.name}": hash_manifest(folder) for folder in every},
    )
