"""What it comes to, in plain sentences."""

import math
from collections.abc import Iterator

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.diagnosis import FLATTER, STILL_IMPROVING
from assay.formats.hypothesis import LEVELS, Hypotheses, Hypothesis, HypothesisName
from assay.laws.anchors import floor_loss
from assay.laws.budgets import show_range
from assay.laws.scaling import FEW_EPOCHS, Range
from assay.terminal.numbers import round_count

# These change what is seen of a loss, not the loss.
_MISLEADING = {
    HypothesisName.EVALUATION_NOISE,
    HypothesisName.VALIDATION_TOO_SMALL,
    HypothesisName.VALIDATION_LEAKED,
}
_PERPLEXITY = 10
_NOTHING = 0.0005  # nats a token, which three decimals show as none


def conclude(run: RunAnalysis, hypotheses: Hypotheses) -> list[str]:
    """Return the sentences a reader needs if he reads no more, the most important first."""
    return [
        *_doubt_config(run),
        *_doubt_data(run),
        *_judge_curve(run),
        *_name_causes(hypotheses),
        *([] if run.doubt else _judge_data(run, hypotheses)),
        *_foresee(run),
        *_state_reach(run),
    ]


def _doubt_config(run: RunAnalysis) -> Iterator[str]:
    """Say where the log and the config contradict each other: then nothing below may hold."""
    if run.plan is None or not run.settings:
        return
    facts, plan = run.log.facts, run.plan
    printed, made = facts.get("parameters_millions"), plan.parameters / 1e6
    # A size given in words is a round number.
    off = max(0.02, (0.002 if plan.blocks is not None else 0.05) * made)
    if printed and abs(printed - made) > off:
        yield (
            f"the log prints {printed:.2f}M parameters, the config makes {made:.2f}M: it is not "
            "this run's config, and what follows from it does not hold"
        )
    tokens = facts.get("tokens_per_step")
    if tokens and round(tokens) != plan.tokens_per_step:
        yield (
            f"the log prints {tokens:,.0f} tokens per iteration, the config makes "
            f"{plan.tokens_per_step:,}: tokens and epochs below go by the config"
        )


def _doubt_data(run: RunAnalysis) -> Iterator[str]:
    """Ask first whether the data is the run's: what follows from other data is withheld."""
    if run.doubt is not None:
        yield f"{run.doubt.question} {run.doubt.sentence}"
        yield (
            "until that is answered, nothing is said of what repeats cost, of what more data would "
            "buy, or of leaks; the rest below does not rest on it"
        )


def _judge_curve(run: RunAnalysis) -> Iterator[str]:
    """Say whether the loss is flat at all."""
    slope = run.slope
    if slope is None:
        return
    rose = slope.high < 0  # surely, and not by chance
    drop, low, high = (
        (-slope.drop, -slope.high, -slope.low) if rose else (slope.drop, slope.low, slope.high)
    )
    if slope.outcome == STILL_IMPROVING:
        said = "the loss is not flat: it fell"
    elif slope.outcome == FLATTER:
        said = (
            "the loss rises: it rose" if rose else "the loss is flatter than it should be: it fell"
        )
    else:
        more = slope.more_evaluations
        need = "no number of them would be" if more is None else f"{more:,} more would be needed"
        said = (
            f"the {slope.made_of} are too noisy to tell whether the loss is flat ({need}): it fell"
        )
    yield (
        f"{said} by {drop:.3f} nats over the last {slope.num_evaluations:,} {slope.made_of} "
        f"({low:.3f} to {high:.3f}, {slope.confidence:.0%}); a healthy run falls by "
        f"{slope.expected.value:.3f} +- {slope.expected.sd:.3f} there"
    )


def _foresee(run: RunAnalysis) -> Iterator[str]:
    forecast = run.forecast
    if forecast is not None and forecast.at_step > run.step:
        doubt = "; it may not hold, see NOTES" if forecast.caveats else ""
        yield (
            f"forecast for step {forecast.at_step:,}: {forecast.value:.3f} "
            f"({forecast.low:.3f} to {forecast.high:.3f}, {forecast.confidence:.0%}), now "
            f"{forecast.level:.3f}{doubt}"
        )


def _name_causes(hypotheses: Hypotheses) -> Iterator[str]:
    found = {name: each for name, each in hypotheses.items() if each.stands_out}
    if not found:
        yield "no cause stands out: nothing here is more than possible"
        return
    names = ", ".join(f"{each.name} ({each.level})" for each in found.values())
    how = "holding the loss back"
    if found.keys() <= _MISLEADING:
        how = "misleading about the loss, rather than holding it back"
    yield f"most likely {how}: {names}"


def _judge_data(run: RunAnalysis, hypotheses: Hypotheses) -> Iterator[str]:
    """Say plainly whether the amount of data is the cause."""
    quantity = hypotheses[HypothesisName.TOO_LITTLE_UNIQUE_DATA]
    overfitting = hypotheses[HypothesisName.OVERFITTING]
    ranks = {quantity.rank, overfitting.rank}
    gain = _compare_gains(quantity, hypotheses[HypothesisName.SCHEDULE_NOT_FINISHED])
    unreached = run.budget is not None and quantity.gain is None
    if unreached:
        gain = (
            ": what more unique tokens would buy is not known, the laws of repeated tokens do not "
            "reach this size"
        )
    if quantity.stands_out or overfitting.stands_out:
        sure = "certainly" if min(ranks) == LEVELS.index("certain") else "likely"
        yield f"the amount of data is {sure} a cause{gain}"
    elif run.budget is None:
        yield (
            "whether more data would help is unknown until its unique tokens are counted "
            f"(assay audit); overfitting is {overfitting.level}"
        )
    elif min(ranks) > LEVELS.index("possible"):
        if unreached and run.budget.epochs <= FEW_EPOCHS:
            gain = (
                ": so few repeats cost little; the laws of repeated tokens do not reach this size"
            )
        yield f"the amount of data is not the cause{gain}"
    else:
        yield f"the amount of data may be a cause{gain}; a comparison decides"


def _compare_gains(quantity: Hypothesis, schedule: Hypothesis) -> str:
    if quantity.gain is None:
        return ""
    gain = Range(*quantity.gain)
    buys = "nothing" if gain.high < _NOTHING else show_range(gain)
    text = (
        f": twice the unique tokens would buy {buys} by the end of the plan, at equal tokens seen"
    )
    if schedule.gain is not None and schedule.stands_out:
        text += f"; finishing the schedule {show_range(Range(*schedule.gain))}"
    return text


def _state_reach(run: RunAnalysis) -> Iterator[str]:
    if run.expected is not None and run.plan is not None:
        said = (
            f"to be expected of {run.plan.parameters / 1e6:.1f}M parameters and "
            f"{round_count(run.plan.tokens)} tokens of web text: {run.expected.low:.2f} to "
            f"{run.expected.high:.2f}, give or take 0.1"
        )
        if run.excess is not None and run.forecast is not None:
            side = "above" if run.excess > 0 else "below"
            said += f"; this run is headed for {abs(run.excess):.2f} {side} the middle of that"
        yield said
        floor = floor_loss(run.plan.parameters)
        if floor.low > math.log(_PERPLEXITY):
            yield (
                f"perplexity below {_PERPLEXITY} (loss {math.log(_PERPLEXITY):.2f}) is out of "
                f"reach at this size: with endless data three laws give {floor.low:.2f} to "
                f"{floor.high:.2f}"
            )
    claim = run.plan.find_claim() if run.plan is not None else None
    if claim is not None and run.plan is not None:
        yield (
            f"the run calls itself {claim[0]!r}, {claim[1] / 1e6:g}M parameters; its settings make "
            f"{run.plan.parameters / 1e6:.2f}M"
        )
