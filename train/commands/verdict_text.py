"""A verdict for the terminal."""

from collections.abc import Sequence

from assay.formats.comparison import Pairing, Verdict
from assay.terminal.numbers import count
from assay.terminal.text import align, printable, show_line, wrap
from assay.train.compare.wording import write_equal_loss

# What to do about a condition that failed.
_NEXT = {
    "held-out documents in training data": "prepare the arms again with --drop leaked, or score "
    "these documents apart with --allow-leaked",
    "tokenizer": "prepare all arms, and what is held out, with one tokenizer",
    "number of held-out documents": "hold out more (assay prepare --val-share), or name bins that "
    "have more with --held-out",
    "budget and settings": "give all arms the same settings, or name what differs with --vary",
    "finite losses": "name another -o with a lower --learning-rate",
    "precision": "name another -o, and --dtype where arms are trained on devices of two kinds",
}


def describe_verdict(verdict: Verdict, width: int | None = None) -> str:
    """Say the verdict of each arm, then what the arms were, then which gates failed.

    Args:
        verdict: Of a comparison.
        width: Columns of the terminal, to break sentences at; None leaves each on a line.
    """
    pairings = verdict.comparisons
    blocks = [_break([pairing.sentence], width) for pairing in pairings]
    blocks.append(align(_list_arms(verdict)))
    notes = [line for pairing in pairings for line in _note_pairing(pairing, verdict)]
    blocks.append(_break([*notes, *_note_looks(verdict)], width))
    if verdict.also is not None:
        name = show_line(verdict.also.name, 60)
        head = f"on {count(verdict.also.documents)} documents of {name}, not part of the verdict:"
        lines = [line for each in verdict.also.comparisons for line in (each.sentence, *each.notes)]
        blocks.append(_break([head, *lines], width))
    failed = [gate for gate in verdict.gates if not gate.passed]
    if failed:
        rows = [("failed", show_line(g.name), show_line(g.found, 200)) for g in failed]
        blocks.append(align(rows))
        blocks.append(_break([_NEXT[gate.name] for gate in failed if gate.name in _NEXT], width))
    return "\n\n".join(block for block in blocks if block)


def _break(sentences: Sequence[str], width: int | None) -> str:
    """Put each sentence on a line; on a terminal on as many as it takes, the later ones set in."""
    lines = [show_line(sentence, 1_000) for sentence in sentences]
    if width is None:
        return "\n".join(lines)
    return "\n".join("\n  ".join(wrap(line, width - 2)) for line in lines)


def _list_arms(verdict: Verdict) -> list[tuple[str, ...]]:
    """Make the table of arms; the seeds' standard deviation only where some arm has several."""
    head = (
        "arm",
        "unique tokens",
        "epochs",
        "nats/token",
        "SD of seeds",
        "bits/byte",
        "leaked",
    )
    rows = [
        (
            show_line(arm.name, 40),
            count(arm.unique_tokens),
            f"{arm.epochs:.2f}",
            "-" if arm.loss is None else f"{arm.loss:.4f}",
            "-" if arm.loss_sd is None else f"{arm.loss_sd:.4f}",
            "-" if arm.bits_per_byte is None else f"{arm.bits_per_byte:.4f}",
            count(arm.leaked_documents),
        )
        for arm in verdict.arms
    ]
    if all(arm.loss_sd is None for arm in verdict.arms):
        place = head.index("SD of seeds")
        return [(*row[:place], *row[place + 1 :]) for row in [head, *rows]]
    return [head, *rows]


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
    seeds = f"SD of seeds {seeds}; " if seeds else ""
    if pairing.pair_sd is not None:
        seeds += f"SD of pairs {pairing.pair_sd:.4f}; "
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
