"""Train twins that differ only in their data, and judge them on the same documents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

import assay
from assay.artifacts import (
    MANIFEST,
    Manifest,
    claim_folder,
    enter_file,
    hash_manifest,
    seal_folder,
)
from assay.bins import Bins
from assay.errors import UsageError
from assay.publish import publish_bytes
from assay.train.checkpoint import refuse_other_settings
from assay.train.config import TrainConfig
from assay.train.fairness import (
    Gate,
)
from assay.train.judging import assemble, judge_arm, list_seeds, refuse_arm
from assay.train.loop import DivergedError, Pace, Say, train_on
from assay.train.machine import Machine, build_machine
from assay.train.plan import (
    Plan,
    derive_seed,
    describe_arm,
    estimate_work,
    make_plan,
    name_arms,
)
from assay.train.runs import Run, open_run
from assay.train.verdict import (
    VERDICT,
    Verdict,
    summarise_arm,
)

MOST_HELD_OUT = 2000


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sealed folder: `verdict.json`, and each run under `runs/<arm>-<seed>/`."""

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
    most_held_out: int = MOST_HELD_OUT,
    allow_leaked: bool = False,
    pace: Pace | None = None,
    machine: Machine | None = None,
    say: Say | None = None,
) -> Comparison:
    """Train every arm with `seeds` seeds and judge each against the first.

    Conditions of fairness come before any training: where one fails the verdict is *invalid*
    and nothing is trained. The same call goes on where an interrupted one stopped.

    Args:
        arms: The baseline, then one or more others.
        output: A folder that is new, empty, or left unfinished by the same call.
        config: Of every run; its `max_iters` is the budget, its `seed` the root of all seeds.
        seeds: Runs an arm; no two runs of a comparison share a seed.
        delta: Margin of equivalence, nats a token.
        held_out: Bins whose val documents are scored; by default those of the arms.
        most_held_out: Score at most this many documents.
        allow_leaked: Score documents that an arm trained on apart, and judge on the others.
        pace: How often runs log and save themselves.
        machine: A model to train anew for each run; by default one is built, once.
        say: Called with lines of progress.

    Raises:
        UsageError: Fewer than two arms, or no common held-out documents, or a bin too small.
    """
    names = name_arms(arms)
    if seeds < 1 or not delta > 0:
        raise UsageError(f"{seeds} seeds and delta {delta:g}: needs at least 1, and more than 0")
    plan = make_plan(
        arms, names, config, seeds, delta, held_out, most_held_out, allow_leaked, pace or Pace()
    )
    with claim_folder(output, "comparison"):
        verdict = _carry_out(plan, output, machine, say)
        _seal(plan, output, verdict)
    return Comparison(output, verdict)


def _carry_out(plan: Plan, output: Path, machine: Machine | None, say: Say | None) -> Verdict:
    """Train what the gates let through, and judge it."""
    failed = [gate for gate in plan.gates if not gate.passed]
    results = [describe_arm(plan, place) for place in range(len(plan.arms))]
    if failed:
        few = [gate.name for gate in failed] == ["number of held-out documents"]
        reasons = "; ".join(f"{gate.name}: {gate.found}, needed {gate.needed}" for gate in failed)
        pairings = [
            refuse_arm(plan, place, "inconclusive" if few else "invalid", reasons)
            for place in range(1, len(plan.arms))
        ]
        return assemble(plan, results, pairings, plan.gates, 0)
    machine = machine or build_machine(plan.config, plan.arms[0].vocab_size)
    parameters = machine.model.num_parameters
    if say:
        say(estimate_work(plan, parameters))
    runs, diverged = _train_all(plan, output, machine, say)
    gates = [*plan.gates, _check_finite(diverged)]
    if diverged:
        pairings = [
            refuse_arm(plan, place, "invalid", diverged) for place in range(1, len(plan.arms))
        ]
        return assemble(plan, results, pairings, gates, parameters)
    tables = [np.stack([_nats(run) for run in row]) for row in runs]
    results = [
        summarise_arm(result, list_seeds(plan, runs[place], tables[place]))
        for place, result in enumerate(results)
    ]
    long = plan.config.max_iters * plan.config.tokens_per_step >= 20 * parameters
    pairings = [
        judge_arm(plan, tables, place, prior_sd=0.004 if long else 0.04)
        for place in range(1, len(plan.arms))
    ]
    return assemble(plan, results, pairings, gates, parameters)


def _train_all(
    plan: Plan, output: Path, machine: Machine, say: Say | None
) -> tuple[list[list[Run]], str | None]:
    """Train each arm with each seed; arms take turns, so that a drift of the machine hits all."""
    runs: list[list[Run]] = [[] for _ in plan.arms]
    for seed in range(plan.seeds):
        for place, bins in enumerate(plan.arms):
            folder = output / "runs" / f"{place}-{seed}"
            config = msgspec.structs.replace(
                plan.config, seed=derive_seed(plan.config.seed, place, seed)
            )
            if (folder / MANIFEST).exists():
                runs[place].append(_reuse(plan, folder, bins, config))
                continue
            prefix = f"{plan.names[place]} seed {seed + 1}/{plan.seeds}  "
            try:
                run = train_on(
                    bins,
                    folder,
                    config=config,
                    pace=plan.pace,
                    held_out=plan.held_out,
                    machine=machine,
                    keep_optimizer=False,
                    say=_prefixed(say, prefix),
                )
            except DivergedError as error:
                return runs, str(error)
            runs[place].append(run)
    return runs, None


def _prefixed(say: Say | None, prefix: str) -> Callable[[str], None] | None:
    if say is None:
        return None
    return lambda line: say(prefix + line)


def _reuse(plan: Plan, folder: Path, bins: Bins, config: TrainConfig) -> Run:
    """Take a finished run of an interrupted comparison, if it is the one that is needed."""
    run = open_run(folder)
    refuse_other_settings(run.config, config, folder)
    found, needed = run.manifest.parents.get("bins", ""), hash_manifest(bins.folder)
    if found != needed:
        raise UsageError(
            f"{folder} was trained on bins {found[:12]}, this arm is {needed[:12]}; name another -o"
        )
    scored = run.read_losses()
    same = (
        scored["document"].to_numpy().tolist() == plan.held_out.document_J.tolist()
        and scored["tokens"].to_numpy().tolist() == plan.held_out.tokens_J.tolist()
    )
    if not same:
        raise UsageError(
            f"{folder} scored {scored.height:,} held-out documents, this comparison has other "
            f"{plan.held_out.start_J.size:,}; name the same ones, or another -o"
        )
    return run


def _nats(run: Run) -> np.ndarray:
    return run.read_losses()["nats"].to_numpy()


def _check_finite(diverged: str | None) -> Gate:
    found = diverged or "all losses and gradients finite"
    return Gate(name="finite losses", passed=not diverged, found=found, needed="finite")


def _seal(plan: Plan, output: Path, verdict: Verdict) -> None:
    text = msgspec.json.format(msgspec.json.encode(verdict), indent=2)
    publish_bytes(output / VERDICT, text + b"\n")
    parents = {f"arm {place}": arm.manifest_sha256 for place, arm in enumerate(verdict.arms)}
    for arm in verdict.arms:
        for each in arm.seeds:
            parents[each.run] = hash_manifest(output / each.run)
    seal_folder(
        output,
        Manifest(
            kind="comparison",
            tool=assay.__version__,
            settings={"config": msgspec.to_builtins(plan.config)} | plan.fields(),
            inputs=[],
            outputs=[enter_file(output / VERDICT, output)],
            tokenizer=plan.arms[0].manifest.tokenizer,
            totals={"verdict": verdict.verdict},
            parents=parents,
        ),
    )
