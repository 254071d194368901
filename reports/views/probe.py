"""The section of a probe: what the table names, the effects with their intervals, the branches."""

from assay.formats.probe import PARENTHESES, ProbeResult
from assay.reports.page.number_format import signed
from assay.reports.page.page import Banner, Block, Chart, Facts, Mark, Note, Section, Table
from assay.reports.page.training_plots import Gap, plot_gaps
from assay.reports.sources.sources import Source
from assay.terminal.numbers import count
from assay.terminal.text import show_line

_TONES = {"named": "bad", "open": "warn", "no": "plain"}
_BOUND = 0.01  # nats a token: below this an effect of new data does not matter


def head_probe(source: Source[ProbeResult]) -> Banner:
    """Say which causes are named, and what to do about them."""
    probe = source.content
    named = [cause for cause in probe.causes if cause.state == "named"]
    word, said = "no cause is named", _sentence(probe.sentence)
    if named:
        word = "cause: " + " and ".join(cause.name for cause in named)
        said = " ".join([*(_sentence(cause.reason) for cause in named), PARENTHESES])
    return Banner(
        "warn" if named else "plain",
        show_line(word, 100),
        f"probe {source.name}: {show_line(probe.checkpoint, 60)}",
        show_line(said, 1_500),
        tuple(Mark("warn", "do", show_line(cause.advice, 300)) for cause in named),
    )


def view_probe(source: Source[ProbeResult], number: int) -> Section:
    """Show a probe: effects drawn, branches, every row of the table, notes."""
    probe = source.content
    lead = (
        f"{show_line(probe.checkpoint, 80)} at step {count(probe.checkpoint_step)} "
        f"({count(probe.parameters)} parameters, {count(probe.checkpoint_tokens)} tokens seen) "
        f"went on four ways in {probe.seeds} orders of the data: {count(probe.steps)} steps and "
        f"{count(probe.tokens_per_branch)} tokens each, from learning rate "
        f"{probe.learning_rate:.3g} ({probe.learning_rate / probe.peak:.0%} of its peak)."
    )
    scored = f"{count(probe.documents)} val documents of {show_line(probe.held_out, 60)}"
    if probe.leaked_documents:
        scored += f"; {count(probe.leaked_documents)} that leaked are left out"
    blocks: tuple[Block, ...] = (
        _tabulate_causes(probe),
        _draw_effects(probe),
        _tabulate_branches(probe),
        Facts((("scored on", scored),)),
        *(Note(f"{show_line(note, 500)}.", "warn") for note in probe.notes),
    )
    return Section(f"probe-{number}", f"Probe: {source.name}", lead, blocks)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def list_causes(probe: ProbeResult) -> list[tuple[str, str, str]]:
    """List the rows of the table: state, cause, reason."""
    return [
        (
            cause.state if cause.state in _TONES else "?",
            show_line(cause.name, 60),
            show_line(cause.reason, 1_000),
        )
        for cause in probe.causes
    ]


def _tabulate_causes(probe: ProbeResult) -> Table:
    return Table(
        ("", "cause", "because", "then"),
        tuple(
            (*row, show_line(cause.advice, 300) if cause.state != "no" else "")
            for row, cause in zip(list_causes(probe), probe.causes, strict=True)
        ),
        caption="What the effects name. Open: an interval reaches over a bound, or something that "
        f"the row needs is not known. {PARENTHESES[:-1]}",
        tones=tuple(_TONES.get(cause.state, "warn") for cause in probe.causes),
    )


def _draw_effects(probe: ProbeResult) -> Chart:
    effects = [
        ("cooldown, on the old data", probe.cooldown),
        ("cooldown, on the new data", probe.cooldown_on_new),
        ("new data, at a constant rate", probe.data),
    ]
    if probe.home is not None:
        effects.append(("new data, on text like the old", probe.home))
    gaps = [Gap(what, each.value, *each.interval, each.detectable) for what, each in effects]
    listed = [*effects, ("cooldown on new data minus on old", probe.interaction),
              ("val minus train, of the checkpoint", probe.gap)]  # fmt: skip
    rows = [
        (
            what,
            signed(each.value),
            " to ".join(map(signed, each.interval)),
            f"{each.detectable:.4f}",
        )
        for what, each in listed
    ]
    label = (
        "What each change does to the loss, with its 95% interval. Grey: within "
        f"{_BOUND:g} nats a token, too small to matter. Strokes: the smallest effect that this "
        "probe could see"
    )
    table = Table(
        ("effect, nats/token", "difference", "interval", "smallest detectable"),
        tuple(rows),
        frozenset({1, 2, 3}),
    )
    return Chart(
        label, plot_gaps(gaps, _BOUND, meaning="with the change minus without"), table, open=True
    )


def _tabulate_branches(probe: ProbeResult) -> Table:
    names = {"old": show_line(probe.old, 40), "new": show_line(probe.new, 40)}
    rows = [("the checkpoint itself", "", f"{probe.loss:.4f}", "")]
    for branch in probe.branches:
        data, _, schedule = branch.name.partition(" ")
        rows.append(
            (
                f"{show_line(data, 20)} data ({names.get(data, '?')})",
                show_line(schedule, 20),
                f"{branch.loss:.4f}",
                ", ".join(f"{loss:.4f}" for loss in branch.losses),
            )
        )
    return Table(
        ("branch", "learning rate", "nats/token", "each order"),
        tuple(rows),
        frozenset({2}),
        "Held-out loss after each branch",
    )
