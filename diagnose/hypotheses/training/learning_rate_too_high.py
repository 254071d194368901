"""The peak learning rate is too high: the loss hangs above what the model could reach."""

from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Evidence
from assay.laws.anchors import recommend_rates
from assay.terminal.numbers import number_of

_TYPICAL_GAIN = 0.12  # nats that a whole decay is worth in the healthy runs of `slope`


def read_evidence(run: RunAnalysis) -> Iterator[Evidence]:
    """Hold the peak against published rules; count spikes; see what the decay is worth."""
    yield from _read_rules(run)
    yield from _read_spikes(run)
    # What the decay is worth shows how far the rate held the loss up before it.
    gain = run.fit.gain if run.fit is not None else 0.0
    times = gain / _TYPICAL_GAIN
    if times > 2:
        text = f"the decay is worth {gain:.2f} nats, {times:.1f} times a healthy run's"
        yield Evidence(2.0 if times > 3 else 1.0, text, direct=times > 3)
    if run.excess is not None:
        yield Evidence(0.5 if run.excess > 0.15 else -0.5, run.describe_excess())


def _read_rules(run: RunAnalysis) -> Iterator[Evidence]:
    plan, peak = run.plan, float(run.settings.get("learning_rate") or 0.0)
    if not peak or plan is None or plan.blocks is None:
        return
    rules = recommend_rates(plan.parameters, plan.blocks, plan.tokens)
    listed = ", ".join(f"{name} {rate:.2g}" for name, rate in rules)
    shown = f"peak {peak:.3g}; published rules for this size give {listed}"
    (_, lowest), (_, highest) = rules[0], rules[-1]
    if peak > 2 * highest:
        times = peak / highest
        yield Evidence(3.0 if times > 4 else 2.0, f"{shown}: {times:.1f} times the highest")
    elif peak <= 2 * lowest:
        yield Evidence(-2.0, f"{shown}: within twice the lowest")
    else:
        yield Evidence(0.0, f"{shown}: between them")


def _read_spikes(run: RunAnalysis) -> Iterator[Evidence]:
    if run.spikes >= 3:
        yield Evidence(1.5, f"{run.spikes} spikes of the batch loss")
    elif run.log.batch.size >= 100:
        shown = f"{number_of(run.spikes, 'spike')} in {run.log.batch.size:,} batch losses"
        yield Evidence(-0.5 if not run.spikes else 0.0, shown)
    if run.norm_spikes >= 3:
        yield Evidence(1.0, f"{run.norm_spikes} spikes of the gradient norm")
    broken = sum(steps.size for steps in run.log.broken.values())
    if broken:
        yield Evidence(1.0, f"{broken:,} values are NaN or infinite")
