"""A probe for the terminal: what it names, its effects, its branches, every row of the table."""

import textwrap

from assay.formats.probe import PARENTHESES, RULED_OUT, UNDETERMINED, ProbeResult
from assay.terminal.numbers import count
from assay.terminal.text import align, screen_width, show_line
from assay.train.probe.decision_table import format_effect

_WIDTH = 100


def describe_probe(result: ProbeResult) -> str:
    """Lay a probe out; effects in nats a token with 95% intervals, below 0 is better."""
    blocks = [
        _wrap("", result.sentence),
        _wrap("", PARENTHESES),
        _head(result),
        "BRANCHES, nats/token\n" + align(_list_branches(result), "  "),
        "EFFECTS\n" + "\n".join(_list_effects(result)),
        "THE TABLE\n" + "\n".join(_list_causes(result)),
    ]
    if result.notes:
        blocks.append("NOTES\n" + "\n".join(_wrap("- ", note) for note in result.notes))
    return "\n\n".join(blocks)


def _head(result: ProbeResult) -> str:
    return align(
        [
            (
                "checkpoint",
                f"{show_line(result.checkpoint, 60)}, step {count(result.checkpoint_step)}, "
                f"{count(result.parameters)} parameters",
            ),
            (
                "learning rate",
                f"{result.learning_rate:.3g}, {result.learning_rate / result.peak:.0%} of its peak",
            ),
            (
                "each branch",
                f"{count(result.steps)} steps, {count(result.tokens_per_branch)} tokens, "
                f"{result.seeds} orders of the data",
            ),
            (
                "scored on",
                f"{count(result.documents)} val documents of {show_line(result.held_out, 40)}",
            ),
        ]
    )


def _list_branches(result: ProbeResult) -> list[tuple[str, str, str]]:
    rows = [("checkpoint", f"{result.loss:.4f}", "")]
    names = {"old": show_line(result.old, 30), "new": show_line(result.new, 30)}
    for branch in result.branches:
        data, schedule = branch.name.split()
        each = ", ".join(f"{loss:.4f}" for loss in branch.losses)
        rows.append((f"{data} data ({names[data]}), {schedule}", f"{branch.loss:.4f}", each))
    return rows


def _list_effects(result: ProbeResult) -> list[str]:
    home = [] if result.home is None else [("new data, on text like the old", result.home)]
    effects = [
        ("cooldown, old data", result.cooldown),
        ("cooldown, new data", result.cooldown_on_new),
        *home,
        ("new data, constant rate", result.data),
        ("cooldown on new minus on old", result.interaction),
        ("val minus train, the checkpoint", result.gap),
    ]
    return [_wrap(f"  {name:<33}", format_effect(effect)) for name, effect in effects]


def _list_causes(result: ProbeResult) -> list[str]:
    lines = []
    for cause in result.causes:
        lines.append(f"  {cause.state:<6} {cause.name}")
        lines.append(_wrap(" " * 9, cause.reason))
        if cause.state != RULED_OUT:
            condition = "if so: " if cause.state == UNDETERMINED else ""
            lines.append(_wrap(" " * 9, condition + cause.advice))
    return lines


def _wrap(label: str, text: str) -> str:
    return textwrap.fill(
        show_line(text, 1_000),
        min(_WIDTH, screen_width() or _WIDTH),
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )
