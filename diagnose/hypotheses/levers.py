"""What each change to a run is expected to buy, as a range with its source."""

from assay.diagnose.facts.case import Case
from assay.diagnose.hypotheses.evidence import Hypothesis
from assay.laws.anchors import Lever, estimate_growth, estimate_tokens
from assay.laws.scaling import count_parameters

_WIDER = (4 / 3, 2.0)  # widths to try: 384 becomes 512 and 768
_MODERN = Lever(
    "RoPE, QK-norm, ReLU^2 and Muon",
    0.08,
    0.15,
    "modded-nanogpt's records at 124M, an estimate here",
)


def list_levers(case: Case, hypotheses: list[Hypothesis]) -> list[Lever]:
    """List changes and what they buy by the end of the plan, the largest first.

    Laws speak only where the run is one they know: GPT-2's tokens, 15M to 500M parameters.
    """
    levers = [
        Lever(_NAMES.get(each.name, each.name), each.gain.low, each.gain.high, each.gain_source)
        for each in hypotheses
        if each.gain is not None
    ]
    plan = case.plan
    if plan is not None and case.expected is not None:
        levers.append(estimate_tokens(plan.parameters, plan.tokens))
        levers.append(_MODERN)
        settings = plan.settings
        for times in _WIDER:
            width = round(times * settings["n_embd"])
            grown = count_parameters(settings["n_layer"], width, settings.get("vocab_size", 50304))
            levers.append(estimate_growth(plan.parameters, grown.counted, plan.tokens))
    return sorted(levers, key=lambda lever: -(lever.low + lever.high))


_NAMES = {
    "schedule not finished": "finish the schedule",
    "dropout": "dropout 0",
    "too little unique data, too many epochs": "twice the unique tokens, same tokens seen",
    "data quality": "cleaning",
}
