"""Branch a checkpoint into constant and cooldown, on old data and new: schedule, or data?"""

from pathlib import Path

import msgspec

import assay
from assay.artifacts import Manifest, claim_folder, enter_file, hash_manifest, seal_folder
from assay.bins import Bins
from assay.finished import say_again
from assay.probes import BRANCHES, PROBE, ProbeResult
from assay.publish import publish_bytes, sweep_temporaries
from assay.tables import LOSSES, write_table
from assay.train.evaluate import Scores, score_documents
from assay.train.loop import Pace, Say
from assay.train.machine import Machine
from assay.train.plan import derive_seed
from assay.train.probe_again import find_probe, record_probe
from assay.train.probe_outcome import conclude_probe
from assay.train.probe_plan import Probing, plan_probe
from assay.train.runs import Run
from assay.train.terms import MOST_HELD_OUT
from assay.train.trunk import Trunk
from assay.train.workshop import Task, Workshop

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
    settings = record_probe(
        trunk, steps=steps or trunk.default_steps(), seeds=seeds, seed=seed, most=most_held_out
    )
    if (found := find_probe(output, settings, old, new, held_out or old)) is not None:
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
        _seal(plan, output, result, runs, settings)
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
    write_table(output / _START, start.to_table(), LOSSES)
    write_table(output / _START_TRAIN, learnt.to_table(), LOSSES)
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


def _seal(
    plan: Probing,
    output: Path,
    result: ProbeResult,
    runs: dict[str, list[Run]],
    settings: dict[str, object],
) -> None:
    text = msgspec.json.format(msgspec.json.encode(result), indent=2)
    publish_bytes(output / PROBE, text + b"\n")
    parents = {"old": hash_manifest(plan.old.folder), "new": hash_manifest(plan.new.folder)}
    parents["held out"] = hash_manifest(plan.judged.folder)
    for row in runs.values():
        parents |= {f"runs/{run.folder.name}": hash_manifest(run.folder) for run in row}
    written = [PROBE, _START, _START_TRAIN]
    written += sorted(f"home/{path.name}" for path in (output / "home").glob("*.parquet"))
    seal_folder(
        output,
        Manifest(
            kind="probe",
            tool=f"assay {assay.__version__}",
            settings=settings,
            inputs=[],
            outputs=[enter_file(output / name, output) for name in written],
            tokenizer=plan.old.manifest.tokenizer,
            totals={"causes": {cause.name: cause.state for cause in result.causes}},
            parents=parents,
        ),
    )
