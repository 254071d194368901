"""All that a diagnosis says, unrounded: for `--json` and `diagnosis.json`."""

import numpy as np

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.diagnose.answer.conclusions import conclude
from assay.diagnose.answer.next_steps import list_next
from assay.diagnose.curve.forecast import Forecast
from assay.diagnose.curve.slope import SlopeVerdict
from assay.diagnose.hypotheses.levers import list_levers
from assay.formats.diagnosis import (
    DiagnosisResult,
    FittedCurve,
    LogSummary,
    LossForecast,
    RunNumbers,
    SlopeSummary,
    ValueWithError,
)
from assay.formats.hypothesis import Hypotheses
from assay.laws.budgets import describe_budget
from assay.laws.scaling import Range

_MAX_POINTS = 400  # of the curve that is kept


def make_result(run: RunAnalysis, hypotheses: Hypotheses) -> DiagnosisResult:
    """Say what a run that was weighed comes to: the same facts as the terminal's."""
    ranked = list(hypotheses.values())
    first, budget = ranked[0], run.budget
    return DiagnosisResult(
        verdict=f"{first.level}: {first.name}" if first.stands_out else "no cause stands out",
        log=LogSummary(
            format=run.log.format,
            last_step=run.step,
            facts=dict(run.log.facts),
            notes=[*run.log.notes, *(run.plan.notes if run.plan else ()), *run.notes],
        ),
        conclusions=conclude(run, hypotheses),
        next_steps=list_next(run, ranked),
        run=_list_numbers(run),
        curve=_thin(run),
        doubt=run.doubt,
        budget=describe_budget(budget, limit=run.limit, known=run.laws_hold) if budget else None,
        forecast=_list_forecast(run.forecast) if run.forecast else None,
        slope=_list_slope(run.slope) if run.slope else None,
        expected=_pair(run.expected),
        hypotheses=ranked,
        levers=list_levers(run, hypotheses),
    )


def _list_numbers(run: RunAnalysis) -> RunNumbers:
    plan, budget, gap = run.plan, run.budget, run.gap
    return RunNumbers(
        parameters=plan.parameters if plan else None,
        tokens_per_step=plan.tokens_per_step if plan else None,
        steps=plan.steps if plan else None,
        tokens_seen=run.seen,
        unique_tokens=run.data.unique,
        unique_tokens_source=run.data.source or None,
        epochs=budget.epochs if budget else None,
        effective_tokens=budget.effective if budget else None,
        tokens_per_parameter=budget.tokens_per_parameter if budget else None,
        repetition=_pair(budget.repetition.cap(run.limit)) if budget and run.laws_hold else None,
        capacity=budget.capacity if budget else None,
        largest_gap=budget.largest_gap if budget else None,
        learning_rate=float(run.rates(np.array([run.step]))[0]) if run.rates else None,
        gap=ValueWithError(gap.mean, gap.error) if gap else None,
        noise=run.noise,
    )


def _thin(run: RunAnalysis) -> FittedCurve:
    """Keep places of a curve that are evenly apart, the first and the last among them."""
    size = run.curve.size
    kept_N = np.linspace(0, size - 1, min(size, _MAX_POINTS)).round().astype(np.int64)
    steps, losses = (each[kept_N].tolist() for each in (run.curve.step_N, run.curve.value_N))
    return FittedCurve(run.curve_name, steps, losses)


def _list_forecast(forecast: Forecast) -> LossForecast:
    return LossForecast(
        step=forecast.at_step,
        loss=forecast.value,
        interval=(forecast.low, forecast.high),
        confidence=forecast.confidence,
        drop=forecast.drop,
        drop_sd=forecast.drop_sd,
        cross_checks=forecast.cross_checks,
    )


def _list_slope(slope: SlopeVerdict) -> SlopeSummary:
    return SlopeSummary(
        outcome=slope.outcome,
        drop=slope.drop,
        interval=(slope.low, slope.high),
        healthy=slope.expected.value,
        more_evaluations=slope.more_evaluations,
    )


def _pair(span: Range | None) -> tuple[float, float] | None:
    return None if span is None else (span.low, span.high)
