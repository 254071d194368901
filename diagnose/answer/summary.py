"""A diagnosis, and the same facts as plain values: for `--json` and `diagnosis.json`."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assay.diagnose.answer.next_steps import NextStep
from assay.diagnose.facts.case import Case
from assay.diagnose.facts.law_validity import cap, tell_budget
from assay.diagnose.hypotheses.evidence import Hypothesis
from assay.laws.anchors import Lever
from assay.laws.scaling import Range

_MOST_POINTS = 400  # of the curve that is kept


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a log says: the case, hypotheses by likelihood, levers, sentences, what to do.

    `asked` are the options it was asked with, `parents` the manifests of the data it was told of.
    """

    case: Case
    hypotheses: list[Hypothesis]
    levers: list[Lever]
    conclusions: list[str]
    next_steps: list[NextStep]
    asked: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)


def summarise(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return a diagnosis as plain values: the same facts as the terminal's, unrounded."""
    case = diagnosis.case
    slope, forecast = case.slope, case.forecast
    kept = _thin(case.curve.size)
    return {
        "verdict": _say_verdict(diagnosis.hypotheses[0]),
        "log": {
            "format": case.log.format,
            "last_step": case.step,
            "facts": dict(case.log.facts),
            "notes": [*case.log.notes, *(case.plan.notes if case.plan else ()), *case.notes],
        },
        "conclusions": diagnosis.conclusions,
        "next_steps": [
            {"why": x.why, "command": x.command, "tokens": x.tokens, "seconds": x.seconds}
            for x in diagnosis.next_steps
        ],
        "run": _list_numbers(case),
        "curve": {
            "name": case.curve_name,
            "steps": case.curve.step_N[kept].tolist(),
            "losses": case.curve.value_N[kept].tolist(),
        },
        "doubt": case.doubt
        and {
            "question": case.doubt.question,
            "sentence": case.doubt.sentence,
            "unique_tokens": case.doubt.unique,
            "epochs": case.doubt.epochs,
        },
        "budget": tell_budget(case.budget, reached=case.laws_reach, loss=case.loss)
        if case.budget
        else None,
        "forecast": forecast
        and {
            "step": forecast.at_step,
            "loss": forecast.value,
            "interval": [forecast.low, forecast.high],
            "confidence": forecast.confidence,
            "drop": forecast.drop,
            "drop_sd": forecast.drop_sd,
            "cross_checks": forecast.cross_checks,
        },
        "slope": slope
        and {
            "outcome": slope.outcome,
            "drop": slope.drop,
            "interval": [slope.low, slope.high],
            "healthy": slope.expected.value,
            "more_evaluations": slope.more_evaluations,
        },
        "expected": _pair(case.expected),
        "hypotheses": [_list_evidence(each) for each in diagnosis.hypotheses],
        "levers": [
            {"name": x.name, "low": x.low, "high": x.high, "source": x.source}
            for x in diagnosis.levers
        ],
    }


def _list_evidence(each: Hypothesis) -> dict[str, Any]:
    return {
        "name": each.name,
        "level": each.level,
        "points": each.points,
        "evidence": [
            {"points": fact.points, "sentence": fact.sentence, "direct": fact.direct}
            for fact in each.evidence
        ],
        "missing": each.missing,
        "experiment": each.experiment,
        "tokens": each.tokens,
        "gain": _pair(each.gain),
        "gain_source": each.gain_source,
    }


def _say_verdict(first: Hypothesis) -> str:
    """Name the likeliest cause, or none."""
    if first.level in ("certain", "likely"):
        return f"{first.level}: {first.name}"
    return "no cause stands out"


def _list_numbers(case: Case) -> dict[str, Any]:
    """Return the run's arithmetic as numbers; None where it is not known."""
    plan, budget = case.plan, case.budget
    return {
        "parameters": plan and plan.parameters,
        "tokens_per_step": plan and plan.tokens_per_step,
        "steps": plan and plan.steps,
        "tokens_seen": case.seen,
        "unique_tokens": case.data.unique,
        "unique_tokens_source": case.data.source or None,
        "epochs": budget and budget.epochs,
        "effective_tokens": budget and budget.effective,
        "tokens_per_parameter": budget and budget.tokens_per_parameter,
        "repetition": _pair(cap(budget.repetition, budget, case.loss))
        if budget and case.laws_reach
        else None,
        "capacity": budget and budget.capacity,
        "largest_gap": budget and budget.largest_gap,
        "learning_rate": float(case.rates(np.array([case.step]))[0]) if case.rates else None,
        "gap": case.gap and {"value": case.gap.mean, "error": case.gap.error},
        "noise": case.noise,
    }


def _thin(size: int) -> np.ndarray:
    """Return places of a curve that are kept: evenly, the first and the last among them."""
    return np.linspace(0, size - 1, min(size, _MOST_POINTS)).round().astype(np.int64)


def _pair(span: Range | None) -> list[float] | None:
    return [span.low, span.high] if span is not None else None
