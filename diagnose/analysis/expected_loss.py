"""The loss to expect of a run, where runs that were published are like it."""

from assay.diagnose.logs.run_log import RunLog
from assay.laws.anchors import ANCHORED_PARAMETERS, expect_loss
from assay.laws.plans import Plan
from assay.laws.scaling import Range

_GPT2_VOCABULARIES = (50257, 50304)


def expect_end(plan: Plan | None, log: RunLog) -> Range | None:
    """Expect the loss at the end of the plan, only of GPT-2's tokens and 15M to 500M parameters.

    None, too, where the run began with GPT-2's weights, which have seen other tokens before.
    """
    if plan is None or plan.blocks is None or not log.val_in_nats:
        return None
    if str(plan.settings.get("init_from", "")).startswith("gpt2"):
        return None
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
