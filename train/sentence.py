"""The verdict in plain words."""

from assay.train.statistics import Judgement


def printable(name: str) -> str:
    """Return a name with what a terminal could take for a command replaced by `?`."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def write_sentence(
    judgement: Judgement,
    arm: str,
    baseline: str,
    *,
    seeds: int,
    documents: int,
    delta: float,
    confidence: float,
) -> str:
    """Write what was found of `arm` against `baseline`, with units, on one line."""
    arm, baseline = printable(arm), printable(baseline)
    found, verdict = judgement.per_token, judgement.verdict
    if verdict == "invalid" or found is None:
        return f"{verdict}: {judgement.reason}"
    low, high = found.interval
    measured = (
        f"{found.value:+.4f} nats/token ({100 * confidence:.4g}% interval {low:+.4f} to "
        f"{high:+.4f})"
    )
    if judgement.per_byte is not None:
        measured += f", {judgement.per_byte.value:+.4f} bits/byte"
    test = (
        f"{seeds} {'seed' if seeds == 1 else 'seeds'} an arm, {documents:,} held-out documents, "
        f"{arm} wins on {100 * (judgement.won_share or 0):.0f}% of them"
    )
    limit = f"smallest effect this test could see: {found.minimum_detectable:.4f} nats/token"
    provisional = "provisional: one seed an arm, its spread assumed; " * judgement.provisional
    if verdict in ("better", "worse"):
        claim = f"{arm} is {verdict} than {baseline}: {measured}, p = {found.p:.2g}"
    elif verdict == "equivalent":
        claim = f"{arm} and {baseline} are equivalent within {delta:g} nats/token: {measured}"
        if low > 0 or high < 0:
            claim += ", a difference that was detected and is smaller than declared to matter"
    elif verdict == "inconclusive":
        claim = f"inconclusive ({judgement.reason}): {arm} against {baseline} {measured}"
    else:
        claim = f"no detectable difference between {arm} and {baseline}: {measured}"
    return f"{claim}; {provisional}{test}; {limit}"
