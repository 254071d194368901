"""One run, measured: what its log, its settings and its data say before anything is weighed."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.diagnose.analysis.data_mismatch import find_doubt
from assay.diagnose.analysis.expected_loss import expect_end
from assay.diagnose.analysis.law_validity import laws_hold
from assay.diagnose.curve.evaluations import Gap, Turn, count_spikes, find_turn, measure_gap
from assay.diagnose.curve.fit import MIN_EVALUATIONS, Fit, estimate_noise, fit_curve
from assay.diagnose.curve.forecast import Forecast, forecast_loss
from assay.diagnose.curve.learning_rate import choose_rates
from assay.diagnose.curve.slope import (
    AVERAGES,
    EVALUATIONS,
    SlopeVerdict,
    choose_window,
    healthy_drop,
    judge_slope,
)
from assay.diagnose.inputs.data_facts import DataFacts
from assay.diagnose.logs.run_log import Curve, RunLog
from assay.errors import UsageError
from assay.formats.diagnosis import DataDoubt
from assay.laws.budgets import Budget, draw_budget
from assay.laws.lr_schedule import LearningRate
from assay.laws.plans import Plan
from assay.laws.scaling import Range

_MAX_STEPS = 50_000_000
_MAX_POINTS = 400  # a curve of batches is averaged to so many


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAnalysis:
    """A run, measured. What could not be computed is None, and `notes` say why.

    Attributes:
        log: As read.
        plan: Its settings, or what the log states of its sizes.
        data: What is known of its data; nothing where what was named cannot be it.
        doubt: Why it cannot.
        rates: Its learning rate at any step.
        curve: The losses that fit, forecast and slope are about.
        curve_name: "val", "train" or "batches".
        noise: Spread of one of them, nats.
        fit: The law fitted to them.
        forecast: Of the end of the plan.
        slope: The last window against a healthy run's.
        gap: Of val and train.
        turn: Of val, upwards.
        budget: Tokens seen until the last step, against the unique ones.
        expected: Loss to be expected at the end of the plan, of this size and these tokens.
        spikes: Jumps of the batch loss.
    """

    log: RunLog
    plan: Plan | None
    data: DataFacts
    doubt: DataDoubt | None
    rates: LearningRate | None
    curve: Curve
    curve_name: str
    noise: float
    fit: Fit | None
    forecast: Forecast | None
    slope: SlopeVerdict | None
    gap: Gap | None
    turn: Turn | None
    budget: Budget | None
    expected: Range | None
    spikes: int
    notes: tuple[str, ...]

    @property
    def step(self) -> int:
        """The last step of which the log says anything."""
        return self.log.last_step

    @property
    def settings(self) -> Mapping[str, Any]:
        """The plan's settings; empty where there is no config."""
        return self.plan.settings if self.plan is not None else {}

    @property
    def loss(self) -> float:
        """The last loss, nats a token; of the curve's and val's the lower; infinite if unknown."""
        curves = [self.log.val] if self.log.val_in_nats else []
        curves += [self.curve] if self.log.val_in_nats or self.curve_name != "val" else []
        return min((float(each.value_N[-1]) for each in curves if each.size), default=math.inf)

    @property
    def laws_hold(self) -> bool:
        """Whether the laws of repeated tokens may be asked about this run."""
        return self.budget is not None and laws_hold(self.budget, self.loss)

    @property
    def limit(self) -> float:
        """The most that a change of the data can cost or buy: the loss, or what is memorised."""
        return min(self.loss, self.budget.largest_gap) if self.budget is not None else self.loss

    @property
    def seen(self) -> int | None:
        """Tokens seen until the last step."""
        return self.plan.tokens_per_step * self.step if self.plan is not None else None

    @property
    def tokens_left(self) -> int:
        """Tokens from the last step to the end of the plan; 0 without a plan."""
        return max(0, self.plan.tokens - (self.seen or 0)) if self.plan is not None else 0

    @property
    def tokens_per_second(self) -> float | None:
        """The run's rate, from the time of its steps as printed."""
        if self.plan is None or not self.log.milliseconds.size:
            return None
        each = float(np.median(self.log.milliseconds.value_N))
        return 1000 * self.plan.tokens_per_step / each if each > 0 else None

    @property
    def excess(self) -> float | None:
        """By how much the loss forecast for the end is over the middle of what is expected."""
        if self.expected is None or self.forecast is None or self.curve_name != "val":
            return None
        return self.forecast.value - (self.expected.low + self.expected.high) / 2

    def describe_excess(self) -> str:
        """Say `excess` with what it is made of; only where there is one."""
        assert self.forecast is not None
        assert self.expected is not None
        return (
            f"forecast {self.forecast.value:.3f} at the end, expected of this size and these "
            f"tokens {self.expected.low:.2f} to {self.expected.high:.2f}: {self.excess:+.2f}"
        )

    @property
    def norm_spikes(self) -> int:
        """Jumps of the gradient's norm."""
        return count_spikes(self.log.grad_norm)


def analyse_run(log: RunLog, plan: Plan | None, data: DataFacts) -> RunAnalysis:
    """Measure a run: fit, forecast, slope, gap, budget, expectation; each where it can be.

    Cost: about 0.1 s for a log of 10,000 evaluations.
    """
    curve, name = _choose_curve(log)
    end = max(plan.steps if plan else 0, log.last_step)
    rates, notes = choose_rates(log, plan), list[str]()
    if rates is None:
        notes.append("no learning rate in the log, so no forecast: give --config")
    elif max(end, getattr(rates, "end_step", 0)) > _MAX_STEPS:
        notes.append(f"over {_MAX_STEPS:,} steps: the learning rate is not followed, no forecast")
        rates = None
    notes.extend(_find_oddities(log, plan))
    in_nats = name != "val" or log.val_in_nats
    fit, forecast, slope = _fit(curve, name, rates if in_nats else None, end, notes)
    noise = fit.noise if fit else _estimate_noise(curve) if in_nats else 0.0
    gap = measure_gap(log)
    turn = find_turn(log.val, _estimate_noise(log.val)) if log.val.size else None
    budget = None
    if plan is not None and data.unique:
        budget = draw_budget(plan, data.unique, step=max(1, log.last_step))
    doubt = find_doubt(log, budget, data, gap, turn)
    if doubt is not None:  # as if none had been named
        data, budget = DataFacts(), None
    return RunAnalysis(
        log=log,
        plan=plan,
        data=data,
        doubt=doubt,
        rates=rates,
        curve=curve,
        curve_name=name,
        noise=noise,
        fit=fit,
        forecast=forecast,
        slope=slope,
        gap=gap,
        turn=turn,
        budget=budget,
        expected=expect_end(plan, log),
        spikes=count_spikes(log.batch),
        notes=tuple(notes),
    )


def _choose_curve(log: RunLog) -> tuple[Curve, str]:
    """Choose what to fit: val loss in nats, else train evaluations, else averaged batches."""
    if log.val.size >= MIN_EVALUATIONS and log.val_in_nats:
        return log.val, "val"
    if log.train.size >= MIN_EVALUATIONS:
        return log.train, "train"
    if log.batch.size:
        return _average(log.batch), "batches"
    return (log.val, "val") if log.val.size else (log.train, "train")


def _average(curve: Curve) -> Curve:
    group = -(-curve.size // _MAX_POINTS)
    whole = curve.size // group * group
    steps = curve.step_N[:whole].reshape(-1, group)
    return Curve(steps[:, -1], curve.value_N[:whole].reshape(-1, group).mean(axis=1))


def _estimate_noise(curve: Curve) -> float:
    return estimate_noise(curve.value_N) if curve.size > 3 else 0.0


def _find_oddities(log: RunLog, plan: Plan | None) -> Iterator[str]:
    if plan is not None and log.last_step > plan.steps:
        yield (
            f"the log goes to step {log.last_step:,}, beyond the {plan.steps:,} of {plan.name}: "
            "another run's settings, or it was trained further"
        )
    if log.val.size and not log.val_in_nats:
        yield (
            f"val is in {log.val_unit}: without the bytes per token it cannot be compared with "
            "nats per token, so no gap to train loss is weighed, and it is neither fitted nor "
            "forecast"
        )
    steps = log.val.step_N
    early = plan is not None and steps.size > 9 and steps[-1] < plan.steps // 20
    if early and np.all(np.diff(steps) == 1):
        yield (
            f"val losses stand at steps {steps[0]:,}, {steps[1]:,} ... {steps[-1]:,}: a count of "
            "evaluations, as wandb's Step is, not of optimizer steps; export them over iter"
        )
    if log.format == "nanogpt" and any("goes back" in note for note in log.notes):
        yield (
            "nanoGPT reseeds its random numbers when it resumes: the same batches were drawn again"
        )


def _fit(
    curve: Curve, name: str, rates: LearningRate | None, end: int, notes: list[str]
) -> tuple[Fit | None, Forecast | None, SlopeVerdict | None]:
    if rates is None:
        return None, None, None
    decayed = max(getattr(rates, "end_step", end), end)
    try:
        fit = fit_curve(curve.step_N, curve.value_N, rates, end_step=decayed)
    except UsageError as error:
        notes.append(f"no forecast: {error}")
        return None, None, None
    forecast = forecast_loss(fit, at_step=end)
    notes.extend(forecast.caveats)
    begin = choose_window(curve.step_N)
    window = curve.since(begin)
    try:
        verdict = judge_slope(
            window.step_N,
            window.value_N,
            healthy_drop(rates, begin, int(window.step_N[-1]), decayed),
            made_of=AVERAGES if name == "batches" else EVALUATIONS,
        )
    except UsageError as error:
        notes.append(f"no verdict on the slope: {error}")
        return fit, forecast, None
    return fit, forecast, verdict
