"""What each change to a run is expected to buy, as a range with its source."""

from assay.diagnose.analysis.run_analysis import RunAnalysis
from assay.formats.hypothesis import Hypotheses, HypothesisName
from assay.laws.anchors import Lever, estimate_growth, estimate_tokens
from assay.laws.scaling import count_parameters

_WIDER = (4 / 3, 2.0)  # widths to try: 384 becomes 512 and 768
_MODERN = Lever(
    "RoPE, QK-norm, ReLU^2 and Muon",
    0.08,
    0.15,
    "modded-nanogpt's records at 124M, an estimate here",
)
# The change that removes a cause, of those whose gain can be estimated.
_CHANGES = {
    HypothesisName.SCHEDULE_NOT_FINISHED: "finish the schedule",
    HypothesisName.REGULARISATION: "dropout 0",
    HypothesisName.TOO_LITTLE_UNIQUE_DATA: "twice the unique tokens, same tokens seen",
    HypothesisName.DATA_QUALITY: "cleaning",
}


def list_levers(run: RunAnalysis, hypotheses: Hypotheses) -> list[Lever]:
    """List changes and what they buy by the end of the plan, the largest first.

    Laws speak only where the run is one they know: GPT-2's tokens, 15M to 500M parameters.
    """
    levers = [
        Lever(_CHANGES[name], *each.gain, each.gain_source)
        for name, each in hypotheses.items()
        if each.gain is not None
    ]
    plan = run.plan
    if plan is not None and run.expected is not None:
        levers += [estimate_tokens(plan.parameters, plan.tokens), _MODERN]
        settings = plan.settings
        for times in _WIDER:
            width = round(times * settings["n_embd"])
            grown = count_parameters(settings["n_layer"], width, settings.get("vocab_size", 50304))
            levers.append(estimate_growth(plan.parameters, grown.counted, plan.tokens))
    return sorted(levers, key=lambda lever: -(lever.low + lever.high))
