"""One run and all that is known of it, before anything is concluded."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from assay.diagnose.curve.evaluations import Gap, Turn, count_spikes, find_turn, measure_gap
from assay.diagnose.curve.fit import Fit, estimate_noise, fit_curve
from assay.diagnose.curve.forecast import Forecast, forecast_loss
from assay.diagnose.curve.learning_rate import LearningRate, Logged
from assay.diagnose.curve.slope import (
    AVERAGES,
    EVALUATIONS,
    SlopeVerdict,
    choose_window,
    healthy_drop,
    judge_slope,
)
from assay.diagnose.facts.data_facts import Data
from assay.diagnose.facts.data_mismatch import Doubt, find_doubt
from assay.diagnose.facts.law_validity import laws_reach
from assay.diagnose.logs.runlog import Curve, RunLog
from assay.errors import UsageError
from assay.laws.anchors import ANCHORED_PARAMETERS, expect_loss
from assay.laws.budgets import Budget, draw_budget
from assay.laws.lr_schedule import Schedule
from assay.laws.plans import Plan
from assay.laws.scaling import Range

_GPT2_VOCABULARIES = (50257, 50304)
_MOST_STEPS = 50_000_000
_MOST_POINTS = 400  # a curve of batches is averaged to so many


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A run, measured. What could not be computed is None, and `notes` say why.

    Attributes:
        log: As read.
        plan: Its settings, or what the log states of its sizes.
        data: What is known of its data; nothing where what was handed over cannot be it.
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
    data: Data
    doubt: Doubt | None
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
        val_in_nats = self.log.val_unit == "nats/token"
        curves = [self.log.val] if val_in_nats else []
        curves += [self.curve] if val_in_nats or self.curve_name != "val" else []
        return min((float(each.value_N[-1]) for each in curves if each.size), default=math.inf)

    @property
    def laws_reach(self) -> bool:
        """Whether the laws of repeated tokens may be asked about this run."""
        return self.budget is not None and laws_reach(self.budget, self.loss)

    @property
    def seen(self) -> int | None:
        """Tokens seen until the last step."""
        return self.plan.tokens_per_step * self.step if self.plan is not None else None

    @property
    def made_of(self) -> str:
        """What the curve is made of, in a word."""
        return _name_points(self.curve_name)

    @property
    def excess(self) -> float | None:
        """By how much the loss forecast for the end is over the middle of what is expected."""
        if self.expected is None or self.forecast is None or self.curve_name != "val":
            return None
        return self.forecast.value - (self.expected.low + self.expected.high) / 2


def make_case(log: RunLog, plan: Plan | None, data: Data) -> Case:
    """Measure a run: fit, forecast, slope, gap, budget, expectation; each where it can be."""
    notes: list[str] = []
    plan = plan or _plan_from(log)
    curve, name = _choose_curve(log)
    end = max(plan.steps if plan else 0, log.last_step)
    rates = make_rates(log, plan)
    if rates is None:
        notes.append("no learning rate in the log: no forecast; name --config")
    elif max(end, getattr(rates, "end_step", 0)) > _MOST_STEPS:
        notes.append(f"over {_MOST_STEPS:,} steps: the learning rate is not followed, no forecast")
        rates = None
    notes.extend(_find_oddities(log, plan))
    in_nats = name != "val" or log.val_unit == "nats/token"
    made_of = _name_points(name)
    fit, forecast, slope = _fit(curve, rates if in_nats else None, made_of, end, notes)
    noise = fit.noise if fit else estimate_noise(curve.value_N) if curve.size > 3 else 0.0
    noise = noise if in_nats else 0.0
    val_noise = estimate_noise(log.val.value_N) if log.val.size > 3 else 0.0
    gap = measure_gap(log)
    turn = find_turn(log.val, val_noise) if log.val.size else None
    budget = None
    if plan is not None and data.unique:
        budget = draw_budget(plan, data.unique, step=max(1, log.last_step))
    doubt = find_doubt(log, budget, data, gap, turn)
    if doubt is not None:  # as if none had been handed over
        data, budget = Data(), None
    return Case(
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
        expected=_expect(plan, log),
        spikes=count_spikes(log.batch),
        notes=tuple(notes),
    )


def _find_oddities(log: RunLog, plan: Plan | None) -> Iterator[str]:
    if plan is not None and log.last_step > plan.steps:
        yield (
            f"the log goes to step {log.last_step:,}, beyond the {plan.steps:,} of {plan.name}: "
            "another run's settings, or it was trained on"
        )
    if log.val.size and log.val_unit != "nats/token":
        yield (
            f"val is in {log.val_unit}: without the bytes of a token it cannot be put beside nats "
            "a token, so no gap to train loss is weighed, and it is neither fitted nor forecast"
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
            "nanoGPT seeds its random numbers anew when it resumes: it drew the same batches again"
        )


def make_rates(log: RunLog, plan: Plan | None) -> LearningRate | None:
    """Return the learning rate of every step: from the settings, else from the logged column."""
    settings = plan.settings if plan is not None else {}
    peak = settings.get("learning_rate")
    if plan is not None and peak:
        end = int(settings.get("lr_decay_iters") or plan.steps)
        warmup = settings.get("warmup_iters")
        kind = settings.get("schedule", "cosine" if settings.get("decay_lr", True) else "constant")
        share = float(settings.get("cooldown_share", 0.3))
        return Schedule(
            kind,
            float(peak),
            end,
            warmup_steps=min(plan.steps // 20 if warmup is None else int(warmup), end - 1),
            floor=min(float(settings.get("min_lr") or 0.0), float(peak)),
            cooldown_steps=max(1, round(share * end)) if kind == "wsd" else 0,
        )
    if log.lr.size and log.lr.value_N.max() > 0:
        return Logged(log.lr.step_N, np.maximum(log.lr.value_N, 0.0))
    return None


def _plan_from(log: RunLog) -> Plan | None:
    """Make a plan of what the log itself states, if it states its sizes."""
    parameters = log.facts.get("parameters", 1e6 * log.facts.get("parameters_millions", 0.0))
    tokens = log.facts.get("tokens_per_step", 0.0)
    if not parameters or not tokens:
        return None
    return Plan(
        name=str(log.path),
        settings={},
        parameters=round(parameters),
        blocks=None,
        tokens_per_step=round(tokens),
        steps=max(1, round(log.facts.get("total_steps", log.last_step))),
    )


def _choose_curve(log: RunLog) -> tuple[Curve, str]:
    """Choose what to fit: val loss in nats, else train evaluations, else averaged batches."""
    if log.val.size >= 6 and log.val_unit == "nats/token":
        return log.val, "val"
    if log.train.size >= 6:
        return log.train, "train"
    if log.batch.size:
        return _average(log.batch), "batches"
    return (log.val, "val") if log.val.size else (log.train, "train")


def _name_points(curve_name: str) -> str:
    return AVERAGES if curve_name == "batches" else EVALUATIONS


def _average(curve: Curve) -> Curve:
    group = -(-curve.size // _MOST_POINTS)
    whole = curve.size // group * group
    steps = curve.step_N[:whole].reshape(-1, group)
    return Curve(steps[:, -1], curve.value_N[:whole].reshape(-1, group).mean(axis=1))


def _fit(
    curve: Curve, rates: LearningRate | None, made_of: str, end: int, notes: list[str]
) -> tuple[Fit | None, Forecast | None, SlopeVerdict | None]:
    if rates is None:
        return None, None, None
    decays_until = getattr(rates, "end_step", end)
    try:
        fit = fit_curve(curve.step_N, curve.value_N, rates, end_step=max(decays_until, end))
    except UsageError as error:
        notes.append(f"no forecast: {error}")
        return None, None, None
    forecast = forecast_loss(fit, at_step=end)
    notes.extend(forecast.caveats)
    begin = choose_window(curve.step_N)
    window = curve.since(begin)
    last = int(window.step_N[-1])
    healthy = healthy_drop(rates, begin, last, max(decays_until, end))
    try:
        verdict = judge_slope(window.step_N, window.value_N, healthy, made_of=made_of)
    except UsageError as error:
        notes.append(f"no verdict on the slope: {error}")
        return fit, forecast, None
    return fit, forecast, verdict


def _expect(plan: Plan | None, log: RunLog) -> Range | None:
    """Expect a loss only where the anchor's tokens and size are this run's."""
    if plan is None or plan.blocks is None or log.val_unit != "nats/token":
        return None
    if str(plan.settings.get("init_from", "")).startswith("gpt2"):
        return None  # its weights have seen other tokens before
    vocabulary = log.facts.get("vocab_size", plan.settings.get("vocab_size", 50304))
    low, high = ANCHORED_PARAMETERS
    if vocabulary not in _GPT2_VOCABULARIES or not low <= plan.parameters <= high:
        return None
    peak = float(plan.settings.get("learning_rate") or 1.0)
    return expect_loss(
        plan.parameters,
        plan.blocks,
        plan.tokens,
        dropout=float(plan.settings.get("dropout") or 0.0),
        floor_share=float(plan.settings.get("min_lr") or 0.0) / peak,
    )
