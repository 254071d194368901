"""Train the arms of a comparison and judge them, look by look, until one decides."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.comparison import VERDICT, ArmResult, Foreseen, Look, Verdict
from assay.formats.run import Run
from assay.formats.train_config import Intervals
from assay.storage.manifest import enter_file, hash_manifest
from assay.storage.publish import publish_bytes, sweep_temporaries
from assay.storage.sealed_folder import claim_folder
from assay.terminal.progress import Log
from assay.train.compare.arms import Arm
from assay.train.compare.design import ComparisonDesign
from assay.train.compare.judge import foresee, judge_also, judge_trained, read_trained
from assay.train.compare.plan import ComparisonPlan, describe_arm, describe_work, make_plan
from assay.train.compare.recipe import make_recipe
from assay.train.compare.summary import assemble_verdict, refuse_all, summarise_arm
from assay.train.compare.validity import check_finite, check_precision
from assay.train.compare.wording import write_foreseen
from assay.train.compare.worker_pool import run_tasks
from assay.train.data.coupled_arms import CoupledArm
from assay.train.run.divergence import DivergedError
from assay.train.run.executor import RunExecutor, RunTask, derive_seed
from assay.train.runtime.compiled_model import count_parameters
from assay.train.runtime.device import refuse_mixed_precision
from assay.train.stats.decision_rule import is_decided


def run_comparison(
    arms: Sequence[Arm],
    output: Path,
    design: ComparisonDesign,
    *,
    held_out: Bins | None,
    also: Bins | None,
    intervals: Intervals,
    devices: Sequence[str],
    log: Log,
) -> Verdict:
    """Train every arm with several seeds, judge each against the first, and seal the folder.

    Arguments and errors as `compare.compare_arms` has them.
    """
    refuse_mixed_precision(arms[0].config, devices)
    plan = make_plan(arms, design, held_out=held_out, also=also, intervals=intervals)
    with claim_folder(output, "comparison"):
        sweep_temporaries(output / "also")  # once, here: later several processes write there
        verdict = _compare(plan, output, devices, log)
        _seal(plan, output, verdict)
    return verdict


def _compare(plan: ComparisonPlan, output: Path, devices: Sequence[str], log: Log) -> Verdict:
    """Train what the gates let through, look by look, and judge it."""
    arms = [describe_arm(plan, place) for place in range(len(plan.arms))]
    if failed := [gate for gate in plan.gates if not gate.passed]:
        few = [gate.name for gate in failed] == ["number of held-out documents"]
        reasons = "; ".join(f"{gate.name}: {gate.found}, needed {gate.needed}" for gate in failed)
        pairings = refuse_all(plan, "inconclusive" if few else "invalid", reasons)
        return assemble_verdict(plan, arms, pairings, plan.gates, seeds=plan.design.looks[-1])
    sizes = [count_parameters(arm.config, arm.bins.vocab_size) for arm in plan.arms]
    foreseen = foresee(plan, sizes)
    log(describe_work(plan, sizes[0]))
    log(write_foreseen(foreseen))
    executor = RunExecutor(
        plan.held_out,
        plan.also.documents if plan.also else None,
        plan.intervals,
        log,
        device=devices[0] if len(devices) == 1 else None,
    )

    def train(seeds: int) -> list[list[Run]]:
        runs = run_tasks(_list_tasks(plan, output, seeds), executor, plan, devices)
        return [runs[place :: len(plan.arms)] for place in range(len(plan.arms))]

    return _judge_looks(plan, output, train, arms, sizes, foreseen, log)


def _judge_looks(
    plan: ComparisonPlan,
    output: Path,
    train: Callable[[int], list[list[Run]]],
    arms: list[ArmResult],
    sizes: list[int],
    foreseen: Foreseen,
    log: Log,
) -> Verdict:
    """Train and judge at each declared number of seeds, until one decides."""
    looks: list[Look] = []
    several = len(plan.design.looks) > 1
    for seeds in plan.design.looks:
        try:
            runs = train(seeds)
        except DivergedError as error:
            refused, gates = str(error), [*plan.gates, check_finite(str(error))]
        else:
            precision = check_precision(plan.names, runs)
            gates = [*plan.gates, check_finite(None), precision]
            found = f"computed in several precisions: {precision.found}"
            refused = "" if precision.passed else found
        if refused:
            pairings = refuse_all(plan, "invalid", refused)
            return assemble_verdict(
                plan, arms, pairings, gates, seeds=seeds, looks=looks, foreseen=foreseen
            )
        trained = read_trained(plan, output, runs)
        pairings = judge_trained(plan, trained, sizes)
        verdicts = {pairing.arm: pairing.verdict for pairing in pairings}
        decided = is_decided(list(verdicts.values()))
        looks.append(Look(seeds=seeds, decided=decided, verdicts=verdicts))
        if several:
            _record_look(output, looks[-1], log)
        if decided:
            break
    return assemble_verdict(
        plan,
        [
            summarise_arm(plan, arm, runs[place], trained.nats[place], sizes[place])
            for place, arm in enumerate(arms)
        ],
        pairings,
        gates,
        seeds=seeds,
        looks=looks if several else [],
        foreseen=foreseen,
        also=judge_also(plan, trained, sizes),
    )


def _list_tasks(plan: ComparisonPlan, output: Path, seeds: int) -> list[RunTask]:
    """List each arm with each seed; arms take turns, so that a drift of the machine hits all."""
    tasks: list[RunTask] = []
    last = plan.design.looks[-1]
    bins = tuple(arm.bins for arm in plan.arms)
    for seed in range(seeds):
        for place, arm in enumerate(plan.arms):
            coupled = CoupledArm(bins, place) if plan.coupling else None
            stream = plan.arms[0].stream if coupled else arm.stream
            config = msgspec.structs.replace(
                arm.config, seed=derive_seed(plan.config.seed, stream, seed)
            )
            name, run = f"{place}-{seed}", f"run {len(tasks) + 1}/{last * len(plan.arms)}"
            label = f"{run}, {arm.name}, seed {seed + 1}/{last}"
            also = output / "also" / f"{name}.parquet"
            folder = output / "runs" / name
            tasks.append(RunTask(label, arm.bins, folder, config, also, coupled=coupled))
    return tasks


def _record_look(output: Path, look: Look, log: Log) -> None:
    """Write down what a look found, once: no later look can change it."""
    text = msgspec.json.format(msgspec.json.encode(look), indent=2) + b"\n"
    path = output / f"look-{look.seeds}.json"
    if path.exists() and path.read_bytes() == text:
        return
    if path.exists():
        raise UsageError(
            f"{path} has other verdicts than its runs give now; compare anew in another output"
        )
    publish_bytes(path, text, replace=False)
    done = "decided" if look.decided else "undecided"
    found = "; ".join(f"{arm}: {verdict}" for arm, verdict in look.verdicts.items())
    log(f"look at {look.seeds} seeds an arm ({done}): {found}")


def _seal(plan: ComparisonPlan, output: Path, verdict: Verdict) -> None:
    text = msgspec.json.format(msgspec.json.encode(verdict), indent=2)
    publish_bytes(output / VERDICT, text + b"\n")
    inside = {
        each.run: hash_manifest(output / each.run) for arm in verdict.arms for each in arm.seeds
    }
    written = [VERDICT, *sorted(path.name for path in output.glob("look-*.json"))]
    written += sorted(f"also/{path.name}" for path in (output / "also").glob("*.parquet"))
    also = plan.also.bins if plan.also else None
    make_recipe(plan.arms, plan.design, plan.primary.bins, also).seal(
        output,
        outputs=[enter_file(output / name, output) for name in written],
        totals={"verdict": verdict.verdict},
        inside=inside,
    )
