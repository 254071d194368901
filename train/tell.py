"""A verdict for the terminal."""

from assay.console import align, count, show_line
from assay.train.sentence import printable, write_equal_loss
from assay.train.verdict import Pairing, Verdict

# What to do about a condition that failed.
_NEXT = {
    "held-out documents in training data": "prepare the arms again with --drop leaked, or score "
    "these documents apart with --allow-leaked",
    "tokenizer": "prepare all arms, and what is held out, with one tokenizer",
    "number of held-out documents": "hold out more (assay prepare --val-share), or name bins that "
    "have more with --held-out",
    "budget and settings": "give all arms the same settings, or name what differs with --vary",
    "finite losses": "name another -o with a lower --learning-rate",
}


def describe_verdict(verdict: Verdict) -> str:
    """Say the verdict of each arm, then what the arms were, then which gates failed."""
    blocks = [show_line(pairing.sentence, 1_000) for pairing in verdict.comparisons]
    blocks.append(_tabulate_arms(verdict))
    notes = [line for pairing in verdict.comparisons for line in _note_pairing(pairing, verdict)]
    notes += _note_looks(verdict)
    if notes:
        blocks.append("\n".join(show_line(line, 1_000) for line in notes))
    if verdict.also is not None:
        name = show_line(verdict.also.name, 60)
        head = f"on {count(verdict.also.documents)} documents of {name}, not part of the verdict:"
        lines = [
            show_line(line, 1_000)
            for pairing in verdict.also.comparisons
            for line in (pairing.sentence, *pairing.notes)
        ]
        blocks.append("\n".join([head, *lines]))
    failed = [gate for gate in verdict.gates if not gate.passed]
    if failed:
        rows = [("failed", show_line(g.name), show_line(g.found, 200)) for g in failed]
        blocks.append(align(rows))
        steps = [_NEXT[gate.name] for gate in failed if gate.name in _NEXT]
        blocks += ["\n".join(steps)] if steps else []
    return "\n\n".join(blocks)


def _tabulate_arms(verdict: Verdict) -> str:
    rows = [("arm", "unique tokens", "epochs", "nats/token", "bits/byte", "leaked")]
    for arm in verdict.arms:
        spread = "" if arm.loss_sd is None else f" +- {arm.loss_sd:.4f}"
        rows.append(
            (
                show_line(arm.name, 40),
                count(arm.unique_tokens),
                f"{arm.epochs:.2f}",
                "-" if arm.loss is None else f"{arm.loss:.4f}{spread}",
                "-" if arm.bits_per_byte is None else f"{arm.bits_per_byte:.4f}",
                count(arm.leaked_documents),
            )
        )
    return align(rows)


def _note_pairing(pairing: Pairing, verdict: Verdict) -> list[str]:
    """Say what the verdict rests on: the noise that was measured, and what goes with it."""
    found, equal = pairing.nats_per_token, pairing.equal_loss
    spreads = {arm.name: arm.loss_sd for arm in verdict.arms}
    notes = list(pairing.notes)
    if equal is not None and equal.reason and pairing.verdict in ("better", "worse"):
        notes.append(write_equal_loss(equal, pairing.arm, pairing.baseline))
    if found is None:
        return notes
    seeds = ", ".join(
        f"{printable(name)} {spreads[name]:.4f}"
        for name in (pairing.baseline, pairing.arm)
        if spreads.get(name) is not None
    )
    seeds = f"spread of seeds {seeds}; " if seeds else ""
    return [
        f"noise, nats/token: {seeds}standard error from documents {found.document_se:.4f}",
        *notes,
    ]


def _note_looks(verdict: Verdict) -> list[str]:
    if not verdict.looks:
        return []
    planned = ",".join(map(str, verdict.declared_looks))
    taken = ", ".join(str(look.seeds) for look in verdict.looks)
    return [f"looks declared at {planned} seeds an arm, taken at {taken}; each at 5% / "
            f"{len(verdict.declared_looks)}"]  # fmt: skip
