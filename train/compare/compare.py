"""Train twins that differ in one thing, and judge them on the same documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.comparison import VERDICT, ArmResult, Foreseen, Look, Verdict
from assay.formats.run import Run
from assay.formats.train_config import TrainConfig
from assay.storage.manifest import enter_file, hash_manifest
from assay.storage.publish import publish_bytes, sweep_temporaries
from assay.storage.recipe import say_again
from assay.storage.sealed_folder import claim_folder
from assay.train.compare.arms import Arm, arms_of_data
from assay.train.compare.design import Terms
from assay.train.compare.gates import check_finite, check_precision
from assay.train.compare.judge import foresee, judge_also, judge_trained, read_trained
from assay.train.compare.plan import Plan, derive_seed, describe_arm, estimate_work, make_plan
from assay.train.compare.recipe import find_comparison, make_recipe
from assay.train.compare.run_executor import Task, Workshop
from assay.train.compare.summary import assemble, refuse_all, summarise_arm
from assay.train.compare.wording import list_detectable
from assay.train.compare.worker_pool import Crew, train_tasks
from assay.train.run.train import DivergedError, Pace, Say
from assay.train.runtime.compiled_model import Machine, count_parameters
from assay.train.runtime.device import refuse_mixed
from assay.train.stats.decision_rule import Margins, is_decided
from assay.train.stats.power import PRIOR_DOCUMENT_SD


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sealed folder: `verdict.json`, and each run under `runs/<arm>-<seed>/`.

    With a second set its losses lie in `also/<arm>-<seed>.parquet`, with several looks what each
    found in `look-<seeds>.json`.
    """

    folder: Path
    verdict: Verdict


def compare_bins(
    arms: Sequence[Bins],
    output: Path,
    *,
    config: TrainConfig,
    seeds: int = 3,
    delta: float = 0.01,
    held_out: Bins | None = None,
    also: Bins | None = None,
    most_held_out: int = 2000,
    allow_leaked: bool = False,
    pace: Pace | None = None,
    machine: Machine | None = None,
    say: Say | None = None,
) -> Comparison:
    """Train every folder of bins with the same settings; as `compare_arms`.

    Args:
        arms: The baseline, then one or more others.
        output: As `compare_arms` has it.
        config: Of every run; its `max_iters` is the budget, its `seed` the root of all seeds.
        seeds: Runs an arm; no two runs of a comparison share a seed.
        delta: Margin of equivalence, nats a token.
        held_out: Bins whose val documents are scored; by default those of the arms.
        also: Bins whose val documents are scored and told apart.
        most_held_out: Score at most this many documents.
        allow_leaked: Score documents that an arm trained on apart, and judge on the others.
        pace: How often runs log and save themselves.
        machine: A model to train anew for each run; by default one is built, once.
        say: Called with lines of progress.

    Raises:
        UsageError: Fewer than two arms, or no common held-out documents, or a bin too small.
    """
    terms = Terms((seeds,), Margins(delta), most_held_out, allow_leaked)
    return compare_arms(
        arms_of_data(arms, config),
        output,
        terms=terms,
        held_out=held_out,
        also=also,
        pace=pace,
        machine=machine,
        say=say,
    )


def compare_arms(
    arms: Sequence[Arm],
    output: Path,
    *,
    terms: Terms | None = None,
    held_out: Bins | None = None,
    also: Bins | None = None,
    pace: Pace | None = None,
    machine: Machine | None = None,
    devices: Sequence[str] = (),
    say: Say | None = None,
) -> Comparison:
    """Train every arm with several seeds and judge each against the first.

    Conditions of fairness come before any training: where one fails the verdict is *invalid*
    and nothing is trained. The same call goes on where an interrupted one stopped, run by run
    and look by look; what it finished is opened as it is.

    Args:
        arms: The baseline, then one or more others.
        output: A folder that is new, empty, or left unfinished or finished by the same call.
        terms: Seeds, margins and what else is declared before.
        held_out: Bins whose val documents are scored; by default those of the arms.
        also: Bins whose val documents are scored and told apart.
        pace: How often runs log and save themselves.
        machine: A model to train anew for each run that it fits.
        devices: Train there; one run on each at once, in processes, where there are several.
        say: Called with lines of progress.

    Raises:
        UsageError: Terms that contradict, no common held-out documents, or a bin too small.
    """
    terms, pace = terms or Terms(), pace or Pace()
    every = pace.evaluate
    found = find_comparison(output, arms, terms, held_out=held_out, also=also, evaluate=every)
    if found is not None:
        if say:
            say(say_again(output, "comparison", "trained"))
        return Comparison(output, found)
    refuse_mixed(arms[0].config, devices)
    plan = make_plan(arms, terms, held_out=held_out, also=also, pace=pace)
    with claim_folder(output, "comparison"):
        sweep_temporaries(output / "also")  # once, here: later several processes write there
        verdict = _carry_out(plan, output, machine, devices, say)
        _seal(plan, output, verdict)
    return Comparison(output, verdict)


def _carry_out(
    plan: Plan, output: Path, machine: Machine | None, devices: Sequence[str], say: Say | None
) -> Verdict:
    """Train what the gates let through, look by look, and judge it."""
    results = [describe_arm(plan, place) for place in range(len(plan.arms))]
    failed = [gate for gate in plan.gates if not gate.passed]
    if failed:
        few = [gate.name for gate in failed] == ["number of held-out documents"]
        reasons = "; ".join(f"{gate.name}: {gate.found}, needed {gate.needed}" for gate in failed)
        pairings = refuse_all(plan, "inconclusive" if few else "invalid", reasons)
        return assemble(plan, results, pairings, plan.gates, seeds=plan.terms.looks[-1])
    also = plan.also.documents if plan.also else None
    only = devices[0] if len(devices) == 1 else None
    shop = Workshop(plan.held_out, also, plan.pace, say, only)
    if machine is not None:
        shop.machines.append((machine.model.config, machine))
    crew = Crew(shop, plan, list(devices))
    sizes = [count_parameters(arm.config, arm.bins.vocab_size) for arm in plan.arms]
    foreseen = foresee(plan, sizes, PRIOR_DOCUMENT_SD)
    if say:
        say(estimate_work(plan, sizes[0]))
        say(_announce(plan, foreseen))
    return _look(plan, output, crew, sizes, results, foreseen)


def _look(
    plan: Plan,
    output: Path,
    crew: Crew,
    sizes: list[int],
    results: list[ArmResult],
    foreseen: Foreseen,
) -> Verdict:
    """Train and judge at each declared look, until one decides."""
    looks: list[Look] = []
    for seeds in plan.terms.looks:
        try:
            runs = _train(plan, output, crew, seeds)
        except DivergedError as error:
            refused, gates = str(error), [*plan.gates, check_finite(str(error))]
        else:
            gates = [*plan.gates, check_finite(None), check_precision(plan.names, runs)]
            refused = (
                "" if gates[-1].passed else f"computed in several precisions: {gates[-1].found}"
            )
        if refused:
            pairings = refuse_all(plan, "invalid", refused)
            return assemble(
                plan, results, pairings, gates, seeds=seeds, looks=looks, foreseen=foreseen
            )
        trained = read_trained(plan, output, runs)
        pairings = judge_trained(plan, trained, sizes)
        verdicts = {pairing.arm: pairing.verdict for pairing in pairings}
        looks.append(Look(seeds=seeds, decided=is_decided(list(verdicts.values())),
                          verdicts=verdicts))  # fmt: skip
        _record(output, looks[-1], crew.shop.say, plan)
        if looks[-1].decided:
            break
    results = [
        summarise_arm(plan, result, runs[place], trained.nats[place], sizes[place])
        for place, result in enumerate(results)
    ]
    return assemble(
        plan,
        results,
        pairings,
        gates,
        seeds=trained.seeds,
        looks=looks if len(plan.terms.looks) > 1 else [],
        foreseen=foreseen,
        also=judge_also(plan, trained, sizes),
    )


def _train(plan: Plan, output: Path, crew: Crew, seeds: int) -> list[list[Run]]:
    """Train each arm with each seed; arms take turns, so that a drift of the machine hits all."""
    tasks: list[Task] = []
    for seed in range(seeds):
        for place, arm in enumerate(plan.arms):
            config = msgspec.structs.replace(
                arm.config, seed=derive_seed(plan.config.seed, arm.stream, seed)
            )
            name = f"{place}-{seed}"
            most = plan.terms.looks[-1]
            run = f"run {len(tasks) + 1}/{most * len(plan.arms)}"
            label = f"{run}, {arm.name}, seed {seed + 1}/{most}"
            also = output / "also" / f"{name}.parquet"
            tasks.append(Task(label, arm.bins, output / "runs" / name, config, also))
    runs = train_tasks(tasks, crew)
    return [runs[place :: len(plan.arms)] for place in range(len(plan.arms))]


def _record(output: Path, look: Look, say: Say | None, plan: Plan) -> None:
    """Write down what a look found, once: no later look can change it."""
    if len(plan.terms.looks) == 1:
        return
    text = msgspec.json.format(msgspec.json.encode(look), indent=2) + b"\n"
    path = output / f"look-{look.seeds}.json"
    if path.exists():
        if path.read_bytes() != text:
            raise UsageError(
                f"{path} has other verdicts than its runs give now; name another -o and compare "
                "anew"
            )
        return
    publish_bytes(path, text, replace=False)
    if say:
        done = "decided" if look.decided else "goes on"
        found = "; ".join(f"{arm}: {verdict}" for arm, verdict in look.verdicts.items())
        say(f"look at {look.seeds} seeds an arm ({done}): {found}")


def _announce(plan: Plan, foreseen: Foreseen) -> str:
    return (
        f"smallest effect to expect at a spread of seeds of {foreseen.seed_sd:g} nats/token: "
        f"{list_detectable(foreseen.detectable)} ({foreseen.source})"
    )


def _seal(plan: Plan, output: Path, verdict: Verdict) -> None:
    text = msgspec.json.format(msgspec.json.encode(verdict), indent=2)
    publish_bytes(output / VERDICT, text + b"\n")
    inside = {
        each.run: hash_manifest(output / each.run) for arm in verdict.arms for each in arm.seeds
    }
    written = [VERDICT, *sorted(path.name for path in output.glob("look-*.json"))]
    written += sorted(f"also/{path.name}" for path in (output / "also").glob("*.parquet"))
    also = plan.also.bins if plan.also else None
    make_recipe(plan.arms, plan.terms, plan.judged.bins, also).seal(
        output,
        outputs=[enter_file(output / name, output) for name in written],
        totals={"verdict": verdict.verdict},
        inside=inside,
    )
