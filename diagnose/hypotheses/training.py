"""Hypotheses about the training: schedule, learning rate, regularisation, precision, throughput."""

from collections.abc import Iterator

import numpy as np

from assay.diagnose.curve.evaluations import count_spikes
from assay.diagnose.facts.case import Case
from assay.diagnose.hypotheses.evidence import Evidence, Hypothesis
from assay.diagnose.hypotheses.experiments import (
    finish_or_probe,
    grow_model,
    train_precisely,
    vary,
    vary_dropout,
    vary_rate,
)
from assay.laws.anchors import recommend_rates
from assay.laws.scaling import Range
from assay.terminal.numbers import number_of

_FLOOR_SHARE = 0.12  # of the peak: many decays end at a tenth
_TYPICAL_GAIN = 0.12  # nats that a whole decay is worth in the healthy runs of `slope`


def weigh_schedule(case: Case) -> Hypothesis:
    """The learning rate has not come down yet, and most of what it will buy is to come."""
    plan, forecast = case.plan, case.forecast
    left = max(0, plan.steps - case.step) if plan is not None else 0
    drop = None
    if forecast is not None and left:
        reach = 1.645 * forecast.drop_sd
        drop = Range(max(0.0, forecast.drop - reach), max(0.0, forecast.drop + reach))
    rest = float(left * plan.tokens_per_step) if plan is not None else 0.0
    experiment, tokens = finish_or_probe(case, rest)
    return Hypothesis(
        name="schedule not finished",
        evidence=[*_read_rate(case), *_read_forecast(case, left)],
        missing=[] if case.rates is not None else ["the schedule: --config FILE"],
        experiment=experiment,
        tokens=tokens,
        gain=drop,
        gain_source="this run's own forecast, 90% interval",
    )


def _read_rate(case: Case) -> Iterator[Evidence]:
    if case.rates is None:
        return
    rates_N = case.rates(np.arange(case.step + 1))
    now, peak = float(rates_N[-1]), float(rates_N.max())
    low = float(case.settings.get("min_lr") or 0.0)
    end = getattr(case.rates, "end_step", None)
    shown = f"learning rate {now:.3g} at step {case.step:,}, {100 * now / peak:.0f}% of its peak"
    if getattr(case.rates, "kind", "") == "constant":
        shown, end = f"{shown}, a constant schedule", None
    elif low:
        shown += f" and {now / low:.2f} times its floor {low:.3g}"
    if end is not None:
        shown += f"; {100 * min(1.0, case.step / end):.1f}% of the {end:,} steps of its decay"
    settled = rates_N <= max(1.001 * low, 1e-3 * peak)
    if end is not None and case.step >= end:
        yield Evidence(-4.0, f"{shown}: finished", direct=True)
    elif settled[-max(1, case.step // 20) :].all():
        yield Evidence(-4.0, f"{shown}: it has been at its floor for 5% of the run", direct=True)
    elif now > max(2 * low, _FLOOR_SHARE * peak):
        yield Evidence(2.0, f"{shown}: not finished", direct=True)
    else:
        yield Evidence(-0.5, f"{shown}: nearly down")
    until = getattr(case.rates, "end_step", None)
    if until is not None and case.plan is not None and until > 1.05 * case.plan.steps:
        why = f"lr_decay_iters {until:,} is beyond max_iters {case.plan.steps:,}"
        why = why if end is not None else "nothing brings a constant rate down"
        yield Evidence(
            1.0, f"{why}: the rate will not have come down when the run ends", direct=True
        )


def _read_forecast(case: Case, left: int) -> Iterator[Evidence]:
    forecast = case.forecast
    if forecast is None or not left:
        return
    reach = 1.645 * forecast.drop_sd
    shown = (
        f"the rest of the schedule is forecast to lower the loss by {forecast.drop:.3f} +- "
        f"{reach:.3f} nats (90%)"
    )
    if forecast.drop >= 0.02:
        sure = forecast.drop > reach
        yield Evidence(2.0 if sure else 1.0, shown)
    elif forecast.drop + reach < 0.02:
        yield Evidence(-2.0, shown)
    else:
        yield Evidence(0.0, shown)


def weigh_rate(case: Case) -> Hypothesis:
    """The peak learning rate is too high: the loss hangs above what the model could reach."""
    evidence = [*_read_rules(case), *_read_spikes(case)]
    evidence += _read_gain(case)
    if case.excess is not None:
        points = 0.5 if case.excess > 0.15 else -0.5
        evidence.append(Evidence(points, _describe_excess(case)))
    experiment, tokens = vary_rate(case)
    return Hypothesis(
        name="learning rate too high",
        evidence=evidence,
        missing=[] if case.settings.get("learning_rate") else ["the peak learning rate: --config"],
        experiment=experiment,
        tokens=tokens,
    )


def _read_gain(case: Case) -> Iterator[Evidence]:
    """What the decay is worth shows how far the rate held the loss up before it."""
    gain = case.fit.gain if case.fit is not None else 0.0
    times = gain / _TYPICAL_GAIN
    if times > 2:
        yield Evidence(
            2.0 if times > 3 else 1.0,
            f"the decay is worth {gain:.2f} nats, {times:.1f} times a healthy run's",
            direct=times > 3,
        )


def _read_rules(case: Case) -> Iterator[Evidence]:
    plan, peak = case.plan, float(case.settings.get("learning_rate") or 0.0)
    if not peak or plan is None or plan.blocks is None:
        return
    rules = recommend_rates(plan.parameters, plan.blocks, plan.tokens)
    listed = ", ".join(f"{rule.name} {rule.rate:.2g}" for rule in rules)
    shown = f"peak {peak:.3g}; published rules for this size give {listed}"
    times = peak / rules[-1].rate
    if times > 4:
        yield Evidence(3.0, f"{shown}: {times:.1f} times the highest")
    elif times > 2:
        yield Evidence(2.0, f"{shown}: {times:.1f} times the highest")
    elif peak <= 2 * rules[0].rate:
        yield Evidence(-2.0, f"{shown}: within twice the lowest")
    else:
        yield Evidence(0.0, f"{shown}: between them")


def _read_spikes(case: Case) -> Iterator[Evidence]:
    norms = count_spikes(case.log.grad_norm)
    if case.spikes >= 3:
        yield Evidence(1.5, f"{case.spikes} spikes of the batch loss")
    elif case.log.batch.size >= 100:
        shown = f"{number_of(case.spikes, 'spike')} in {case.log.batch.size:,} batch losses"
        yield Evidence(-0.5 if not case.spikes else 0.0, shown)
    if norms >= 3:
        yield Evidence(1.0, f"{norms} spikes of the gradient norm")
    broken = sum(steps.size for steps in case.log.broken.values())
    if broken:
        yield Evidence(1.0, f"{broken:,} values are NaN or infinite")


def _describe_excess(case: Case) -> str:
    assert case.expected is not None
    assert case.forecast is not None
    assert case.excess is not None
    return (
        f"forecast {case.forecast.value:.3f} at the end, expected of this size and these tokens "
        f"{case.expected.low:.2f} to {case.expected.high:.2f}: {case.excess:+.2f}"
    )


def weigh_capacity(case: Case) -> Hypothesis:
    """The model is as good as a model of this size gets with these tokens."""
    plan, seen = case.plan, case.seen
    evidence = []
    if plan is not None and seen:
        each = seen / plan.parameters
        points = 2.0 if each > 300 else 1.5 if each > 100 else 0.5 if each > 40 else 0.0
        points = -3.0 if each < 10 else points
        evidence.append(
            Evidence(
                points, f"{each:.0f} tokens seen a parameter; 20 is the least compute for a loss"
            )
        )
    if case.excess is not None:
        points = 1.5 if case.excess < 0.1 else -2.0 if case.excess > 0.15 else 0.0
        evidence.append(Evidence(points, _describe_excess(case)))
    if case.fit is not None and case.fit.scale > 0:
        doubling = case.fit.scale * (1 - 2**-case.fit.exponent)
        points = 1.0 if doubling < 0.05 else -0.5 if doubling > 0.1 else 0.0
        shown = f"by its own curve twice the steps would buy {doubling:.3f} nats, decay apart"
        evidence.append(Evidence(points, shown))
    if case.gap is not None:
        if case.gap.mean < 0.02:
            evidence.append(Evidence(0.5, "train loss itself goes no lower: no gap to val"))
        elif case.gap.mean > 0.1:
            evidence.append(
                Evidence(-2.0, f"train loss is {case.gap.mean:.2f} below val: it can learn more")
            )
    experiment, tokens = grow_model(case)
    return Hypothesis(
        name="capacity of the model",
        evidence=evidence,
        missing=[] if case.expected is not None else ["a loss to expect: --config, GPT-2's tokens"],
        experiment=experiment,
        tokens=tokens,
    )


def weigh_dropout(case: Case) -> Hypothesis:
    """Dropout and decay hold back a model that does not overfit."""
    if "dropout" not in case.settings:
        experiment, tokens = vary(case, "dropout=0.1,0", 2)
        return Hypothesis(
            name="dropout",
            missing=["dropout of the run: --config FILE"],
            experiment=experiment,
            tokens=tokens,
        )
    dropout = float(case.settings["dropout"])
    if dropout == 0:
        return Hypothesis(name="dropout", evidence=[Evidence(-6.0, "dropout is 0", direct=True)])
    evidence = [Evidence(0.5, f"dropout is {dropout:g}")]
    if case.gap is not None:
        mean = case.gap.mean
        if mean < 0.02:
            evidence.append(
                Evidence(2.5, f"there is no gap of val and train ({mean:+.3f}) to close")
            )
        elif mean > 0.1:
            evidence.append(Evidence(-3.0, f"val is {mean:.2f} above train: it is needed"))
    experiment, tokens = vary_dropout(case)
    return Hypothesis(
        name="dropout",
        evidence=evidence,
        experiment=experiment,
        tokens=tokens,
        gain=Range(0.3 * dropout, 0.6 * dropout),
        gain_source="a published pair of runs at 163M, an estimate here",
    )


def weigh_precision(case: Case) -> Hypothesis:
    """Mixed precision loses small gradients, or overflows."""
    broken = {kind: steps.size for kind, steps in case.log.broken.items() if steps.size}
    dtype = str(case.settings.get("dtype", ""))
    evidence = []
    if broken:
        kinds = ", ".join(f"{size:,} of {kind}" for kind, size in broken.items())
        evidence.append(Evidence(3.0, f"NaN or infinite values: {kinds}", direct=True))
    else:
        number = case.log.batch.size + case.log.val.size
        evidence.append(Evidence(-2.0, f"no NaN among {number:,} losses"))
    if case.spikes >= 3:
        evidence.append(Evidence(0.5, f"{case.spikes} spikes of the batch loss"))
    if dtype == "float16":
        evidence.append(Evidence(1.0, "dtype is float16, which overflows at 65,504"))
    experiment, tokens = train_precisely(case)
    return Hypothesis(
        name="mixed precision",
        evidence=evidence,
        missing=[] if dtype else ["dtype of the run: --config FILE"],
        experiment=experiment,
        tokens=tokens,
    )


def weigh_throughput(case: Case) -> Hypothesis:
    """Slow steps: they cost time, not loss."""
    facts = ["the loss of a step does not depend on how long it took"]
    if case.log.milliseconds.size and case.plan is not None:
        each = float(np.median(case.log.milliseconds.value_N))
        facts.append(f"{1000 * case.plan.tokens_per_step / each:,.0f} tokens/s")
    if case.log.mfu.size:
        facts.append(f"mfu {np.median(case.log.mfu.value_N):.1f}% as printed (of an A100's peak)")
    return Hypothesis(
        name="throughput",
        evidence=[Evidence(-4.0, "; ".join(facts), direct=True)],
        experiment="none is needed: it decides how soon the same loss is reached",
        tokens=0.0,
    )
