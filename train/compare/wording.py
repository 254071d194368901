"""What `verdict.json` says in words: verdicts, and the notes that go with them."""

from collections.abc import Mapping

from assay.formats.comparison import EqualLoss, Foreseen, LeakEffect, Unit
from assay.terminal.numbers import number_of
from assay.terminal.text import printable
from assay.train.stats.decision_rule import Decision, Margins


def write_sentence(
    decision: Decision,
    arm: str,
    baseline: str,
    *,
    seeds: int,
    documents: int,
    margins: Margins,
    paired: bool = False,
) -> str:
    """Write what was found of `arm` against `baseline`, with units, on one line."""
    arm, baseline = printable(arm), printable(baseline)
    found, verdict = decision.per_token, decision.verdict
    if verdict == "invalid" or found is None:
        return f"{verdict}: {decision.reason}"
    measured = _measure(decision, found)
    test = (
        f"{_count_runs(seeds, paired)}, {documents:,} held-out documents, "
        f"{arm} wins on {100 * (decision.won_share or 0):.0f}% of them"
    )
    limit = f"minimum detectable effect {found.minimum_detectable:.4f} nats/token"
    assumed = "provisional: one seed an arm, its standard deviation assumed; "
    provisional = assumed if decision.provisional else ""
    claim = _claim(decision, found, arm, baseline, margins, measured)
    return f"{claim}; {provisional}{test}; {limit}"


def _count_runs(seeds: int, paired: bool) -> str:
    if paired:
        return number_of(seeds, "coupled pair")
    return f"{number_of(seeds, 'seed')} an arm"


def _measure(decision: Decision, found: Unit) -> str:
    low, high = found.interval
    measured = (
        f"{found.difference:+.4f} nats/token ({100 * decision.confidence:.4g}% interval "
        f"{low:+.4f} to {high:+.4f})"
    )
    if decision.per_byte is not None:
        measured += f", {decision.per_byte.difference:+.4f} bits/byte"
    return measured


def _claim(
    decision: Decision,
    found: Unit,
    arm: str,
    baseline: str,
    margins: Margins,
    measured: str,
) -> str:
    verdict = decision.verdict
    detected = found.interval[0] > 0 or found.interval[1] < 0
    if verdict in ("better", "worse"):
        return f"{arm} is {verdict} than {baseline}: {measured}, p = {found.p:.2g}"
    if verdict == "equivalent":
        claim = f"{arm} and {baseline} are equivalent within {margins.delta:g} nats/token"
    elif verdict == "not worse":
        claim = f"{arm} is not worse than {baseline} by {margins.not_worse_by:g} nats/token"
    elif verdict == "inconclusive":
        return f"inconclusive ({decision.reason}): {arm} against {baseline} {measured}"
    else:
        return f"no detectable difference between {arm} and {baseline}: {measured}"
    small = ", a difference that was detected and is smaller than declared to matter"
    return f"{claim}: {measured}{small if detected else ''}"


def write_equal_loss(found: EqualLoss, arm: str, baseline: str) -> str:
    """Write with what share of the tokens the better arm reached the other's loss."""
    if found.share is None or found.interval is None or found.arm is None:
        return f"tokens to equal loss: not worked out ({found.reason})"
    other = baseline if found.arm == arm else arm
    low, high = found.interval
    return (
        f"{printable(found.arm)} reached the final loss of {printable(other)} after "
        f"{100 * found.share:.0f}% of its tokens ({100 * low:.0f}% to {100 * high:.0f}%), by its "
        "own curve"
    )


def write_places(arm: str, baseline: str, of_arm: str, of_baseline: str) -> str:
    """Write that two arms were computed on different devices."""
    return (
        f"{printable(arm)} was computed in {of_arm}, {printable(baseline)} in {of_baseline}: how "
        "these round is part of the difference"
    )


def write_coupled(share: float, arm: str, baseline: str) -> str:
    """Write what the runs of a coupled pair have in common."""
    return (
        f"{printable(arm)} and {printable(baseline)} were trained coupled: each pair from the same "
        f"weights, with the same window at {100 * share:.0f}% of a run's places"
    )


def write_same_data(arm: str, baseline: str) -> str:
    """Write that two arms were trained on the same bytes, so that seeds alone set them apart."""
    return (
        f"{printable(arm)} and {printable(baseline)} hold the same train.bin: a difference is "
        "chance"
    )


def write_leak(found: LeakEffect, arm: str, baseline: str) -> str:
    """Write what having seen held-out documents did to an arm's loss on them."""
    low, high = found.interval
    least, largest = found.optimism_interval
    return (
        f"{printable(arm)} was trained on {found.documents:,} held-out documents: beyond its "
        f"difference to {printable(baseline)} on clean ones its loss on them is "
        f"{found.excess:+.4f} nats/token ({100 * found.confidence:.4g}% interval {low:+.4f} to "
        f"{high:+.4f}); over all documents its val would be optimistic by {found.optimism:.4f} "
        f"nats/token ({least:.4f} to {largest:.4f})"
    )


def write_detectable(detectable_at: dict[str, float], arm: str) -> str:
    """Write what more seeds an arm could detect, by the noise that was measured."""
    return (
        f"{printable(arm)}: at the noise measured, the minimum detectable effect is "
        f"{list_detectable(detectable_at)}"
    )


def write_foreseen(found: Foreseen) -> str:
    """Write what the comparison could be expected to detect, before anything is trained."""
    return (
        "minimum detectable effect at a seed standard deviation of "
        f"{found.seed_sd:g} nats/token: {list_detectable(found.detectable)} ({found.source})"
    )


def list_detectable(detectable_at: Mapping[str, float]) -> str:
    """List the smallest difference for each number of seeds.

    >>> list_detectable({"3": 0.0138, "5": 0.0099})
    '0.0138 nats/token with 3 seeds an arm, 0.0099 with 5'
    """
    (seeds, first), *more = detectable_at.items()
    listed = [f"{first:.4f} nats/token with {seeds} {'seed' if seeds == '1' else 'seeds'} an arm"]
    return ", ".join([*listed, *(f"{value:.4f} with {number}" for number, value in more)])
