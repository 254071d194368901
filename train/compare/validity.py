"""What must hold for arms to be compared: checked before training, and after it."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from assay.errors import UsageError
from assay.formats.bins import Bins
from assay.formats.comparison import Gate
from assay.formats.run import Run, name_places
from assay.train.compare.arms import Arm, differing_settings
from assay.train.run.evaluate import HeldOut
from assay.train.stats.decision_rule import MIN_DOCUMENTS


def check_tokenizers(arms: Sequence[Bins], *scored: Bins) -> Gate:
    """Require one tokenizer in all arms and in the documents that are scored."""
    distinct = sorted({bins.fingerprint for bins in [*arms, *scored]})
    return Gate(
        name="tokenizer",
        passed=len(distinct) == 1,
        found=", ".join(each[:12] for each in distinct),
        needed="one fingerprint",
    )


def check_held_out(arms: Sequence[Bins]) -> Gate:
    """Require the same val documents in all arms, by their content hashes.

    Raises:
        UsageError: They differ, or there are none; the message has the counts.
    """
    counts = [Counter(bins.read_documents("val")["content_hash"].to_list()) for bins in arms]
    first = counts[0]
    for bins, other in zip(arms, counts, strict=True):
        if not other:
            raise UsageError(
                f"{bins.folder} has no val documents; hold some out (assay prepare --val-share), "
                "or name other bins with held_out",
                "held_out",
            )
        if first != other:
            raise UsageError(
                f"val documents differ: {arms[0].folder} has {first.total():,}, {bins.folder} "
                f"{other.total():,}, and {(first & other).total():,} are the same; prepare both "
                "from one audit with one seed and one share of val, or name held_out",
                "held_out",
            )
    return Gate(
        name="held-out documents",
        passed=True,
        found=f"the same {first.total():,} in every arm",
        needed="the same in every arm",
    )


def check_settings(arms: Sequence[Arm]) -> Gate:
    """Require one set of settings of arms of data, and one folder of bins of arms of settings.

    Where the budget itself is varied the arms see different numbers of tokens by design: the gate
    says so, so that nobody takes the difference for one at equal tokens.
    """
    varied = [name for name in differing_settings(arms) if name != "seed"]
    folders = {arm.bins.folder for arm in arms}
    declared = set().union(*(arm.settings for arm in arms))
    budgets = [f"{arm.config.tokens:,}" for arm in arms]
    if not varied:
        config = arms[0].config
        found = f"{config.max_iters:,} steps of {config.tokens_per_step:,} tokens in every run"
    else:
        found = f"one set of bins; arms differ in {', '.join(varied)}"
        if len(set(budgets)) > 1:
            found += f"; tokens differ by design: {', '.join(budgets)}"
    equal = len(set(budgets)) == 1 or "max_iters" in declared
    return Gate(
        name="budget and settings",
        passed=(not varied or len(folders) == 1) and set(varied) <= declared and equal,
        found=found,
        needed="the same but for what is varied" if declared else "the same",
    )


def check_leaks(names: Sequence[str], leaked: Sequence[np.ndarray], allow: bool) -> Gate:
    """Require that no arm was trained on a held-out document, or that those are scored apart."""
    marked = zip(names, leaked, strict=True)
    return Gate(
        name="held-out documents in training data",
        passed=allow or not np.any(leaked),
        found="; ".join(f"{name}: {each.sum():,} of {each.size:,}" for name, each in marked),
        needed="any number, scored apart" if allow else "0",
    )


def check_enough(held_out: HeldOut) -> Gate:
    """Require enough held-out documents that did not leak."""
    return Gate(
        name="number of held-out documents",
        passed=held_out.num_clean >= MIN_DOCUMENTS,
        found=f"{held_out.num_clean:,}",
        needed=f"at least {MIN_DOCUMENTS}",
    )


def check_finite(diverged: str | None) -> Gate:
    """Require that no run diverged; `diverged` says which did, and where."""
    return Gate(
        name="finite losses",
        passed=not diverged,
        found=diverged or "all losses and gradients finite",
        needed="finite",
    )


def check_precision(names: Sequence[str], runs: Sequence[Sequence[Run]]) -> Gate:
    """Require one precision in all runs, and name on what each arm was computed.

    Two cards of one precision differ in rounding, as two runs on one card may: a note says so. Runs
    that do not record it pass.
    """
    dtypes = {each.dtype for row in runs for run in row for each in run.totals.computed}
    places = [name_places(row) or "not written down" for row in runs]
    each_apart = "; ".join(f"{name}: {place}" for name, place in zip(names, places, strict=True))
    return Gate(
        name="precision",
        passed=len(dtypes) <= 1,
        found=places[0] if len(set(places)) == 1 else each_apart,
        needed="one in every run",
    )
