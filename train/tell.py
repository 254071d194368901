"""A verdict for the terminal."""

from assay.console import align, count, show_line
from assay.train.verdict import Verdict


def describe_verdict(verdict: Verdict) -> str:
    """Say the verdict of each arm, then what the arms were, then which gates failed."""
    blocks = [show_line(pairing.sentence, 1_000) for pairing in verdict.comparisons]
    blocks.append(_tabulate_arms(verdict))
    notes = [line for pairing in verdict.comparisons for line in pairing.notes]
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


def _note_looks(verdict: Verdict) -> list[str]:
    if not verdict.looks:
        return []
    planned = ",".join(map(str, verdict.declared_looks))
    taken = ", ".join(str(look.seeds) for look in verdict.looks)
    return [f"looks declared at {planned} seeds an arm, taken at {taken}; each at 5% / "
            f"{len(verdict.declared_looks)}"]  # fmt: skip
