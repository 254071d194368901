"""Scores of checkpoints for the terminal."""

from assay.terminal.numbers import count
from assay.terminal.text import align, show_line
from assay.train.run.score import CheckpointScores


def describe_scores(scores: CheckpointScores) -> str:
    """Lay scores out as a table; of several each with its difference to the first."""
    found = scores.checkpoints
    head = ("checkpoint", "arch", "parameters", "block", "nats/token", "bits/byte", "to the first")
    rows: list[tuple[str, ...]] = [
        head,
        *(
            (
                show_line(each.checkpoint, 60),
                each.arch,
                count(each.parameters),
                count(each.block_size),
                "-" if each.loss_nats is None else f"{each.loss_nats:.4f}",
                "-" if each.bits_per_byte is None else f"{each.bits_per_byte:.4f}",
                _describe_difference(scores, place) if place else "-",
            )
            for place, each in enumerate(found)
        ),
    ]
    if len(found) == 1:
        rows = [row[:-1] for row in rows]
    clean = [document for document in found[0].documents if not document.leaked]
    tokens = sum(document.tokens for document in clean)
    text = align(rows) + f"\n\n{count(len(clean))} held-out documents, {count(tokens)} tokens"
    if leaked := len(found[0].documents) - len(clean):
        losses = ", ".join(f"{each.leaked_loss_nats:.4f}" for each in found)
        text += f"; {count(leaked)} that leaked, apart: {losses} nats/token"
    if len(found) > 1:
        text += "\nto the first: nats/token, with the 95% interval over documents, not over seeds"
    return text


def _describe_difference(scores: CheckpointScores, place: int) -> str:
    found = scores.subtract_first(place)
    if found is None or found.interval is None:
        return "-" if found is None else f"{found.value:+.4f}"
    low, high = found.interval
    return f"{found.value:+.4f} ({low:+.4f} to {high:+.4f})"
