"""Parts of a comparison's section: differences, what goes with them, leaks, looks, a second set."""

from collections.abc import Iterator

from assay.formats.comparison import Pairing, Verdict
from assay.reports.page.number_format import NO_VALUE, four_digits, signed
from assay.reports.page.page import Block, Chart, Note, Table
from assay.reports.page.training_plots import Gap, plot_gaps
from assay.terminal.numbers import count
from assay.terminal.text import show_line


def draw_gaps(verdict: Verdict) -> Block:
    """Draw each arm's difference with its interval, and lay out the figures."""
    gaps, rows = [], []
    for pairing in verdict.comparisons:
        name = _name(pairing)
        for unit, found in (
            ("nats/token", pairing.nats_per_token),
            ("bits/byte", pairing.bits_per_byte),
        ):
            if found is None or pairing.nats_per_token is None:
                continue
            low, high = found.interval
            if unit == "nats/token":
                gaps.append(Gap(name, found.difference, low, high, found.minimum_detectable))
            rows.append(
                (
                    name,
                    unit,
                    signed(found.difference),
                    f"{signed(low)} to {signed(high)}",
                    f"{100 * (found.confidence or verdict.confidence):.4g}%",
                    f"{found.p:.2g}",
                    f"{found.minimum_detectable:.4f}",
                    NO_VALUE if pairing.won_share is None else f"{100 * pairing.won_share:.0f}%",
                )
            )
    if not gaps:
        return Note("No difference was measured, so there is none to draw.", "warn")
    columns = (
        "arms", "unit", "difference", "interval", "confidence", "p", "smallest detectable",
        "documents won",
    )  # fmt: skip
    label = (
        "The difference with its interval, at the confidence below. Grey: within "
        f"{verdict.delta:g} nats a token, too small to matter. Strokes: the smallest effect that "
        "this test could see"
    )
    table = Table(columns, tuple(rows), frozenset({2, 3, 4, 5, 6, 7}))
    return Chart(label, plot_gaps(gaps, verdict.delta), table, open=True)


def _name(pairing: Pairing) -> str:
    return f"{show_line(pairing.arm, 30)} against {show_line(pairing.baseline, 30)}"


def note_verdict(verdict: Verdict) -> Iterator[Note]:
    """Say what was foreseen, what goes with each verdict, and how many documents leaked."""
    if verdict.leaked_documents:
        yield Note(
            f"{count(verdict.leaked_documents)} held-out documents stand in an arm's training data "
            "and are not in the verdict.",
            "warn",
        )
    for pairing in verdict.comparisons:
        yield from (Note(f"{show_line(line, 1_000)}.") for line in pairing.notes)
    if verdict.foreseen is not None:
        seen = ", ".join(
            f"{value:.4f} with {show_line(seeds, 10)}"
            for seeds, value in verdict.foreseen.detectable.items()
        )
        yield Note(
            f"Said before any training: smallest effect to expect, in nats a token, "
            f"{seen} seeds an arm, at a spread of seeds of {verdict.foreseen.seed_sd:g} "
            f"({show_line(verdict.foreseen.source, 200)})."
        )


def tabulate_leaks(verdict: Verdict) -> Iterator[Table]:
    """Lay out what having seen held-out documents did to each arm."""
    rows = []
    for pairing in verdict.comparisons:
        name, leak = _name(pairing), pairing.leak
        if leak is not None:
            low, high = leak.interval
            least, most = leak.optimism_interval
            rows.append(
                (
                    name,
                    count(leak.documents),
                    signed(leak.excess),
                    f"{signed(low)} to {signed(high)}",
                    f"{leak.p:.2g}",
                    f"{leak.optimism:.4f} ({least:.4f} to {most:.4f})",
                )
            )
        elif pairing.leaked_difference is not None:
            leaked = signed(pairing.leaked_difference)
            rows.append((name, NO_VALUE, f"{leaked} on them", NO_VALUE, NO_VALUE, NO_VALUE))
    if rows:
        yield Table(
            ("arms", "leaked documents", "difference", "interval", "p", "val optimistic by"),
            tuple(rows),
            frozenset({1, 2, 3, 4, 5}),
            "Documents that the arm was trained on and the baseline was not: the difference on "
            "them beyond that on clean documents, nats a token.",
        )


def view_second_set(verdict: Verdict) -> Iterator[Table]:
    """Lay out the second set, which is not part of the verdict."""
    second = verdict.also
    if second is None:
        return
    rows = []
    for pairing in second.comparisons:
        difference = interval = NO_VALUE
        if (found := pairing.nats_per_token) is not None:
            difference, interval = (
                signed(found.difference),
                " to ".join(map(signed, found.interval)),
            )
        rows.append(
            (
                show_line(pairing.arm, 40),
                four_digits(second.losses.get(pairing.arm)),
                difference,
                interval,
                show_line(pairing.verdict, 40),
            )
        )
    yield Table(
        ("arm", "loss", "difference", "interval", "on this set"),
        tuple(rows),
        frozenset({1, 2, 3}),
        f"Second set, apart from the verdict: {count(second.documents)} documents of "
        f"{show_line(second.name, 60)} ({count(second.leaked_documents)} more had leaked). "
        "Differences to the baseline, nats a token.",
    )


def tabulate_looks(verdict: Verdict) -> Iterator[Table]:
    """Lay out the looks that were taken of those declared."""
    rows = tuple(
        (
            str(look.seeds),
            "; ".join(
                f"{show_line(arm, 30)}: {show_line(found, 40)}"
                for arm, found in look.verdicts.items()
            ),
            "decided" if look.decided else "went on",
        )
        for look in verdict.looks
    )
    if rows:
        yield Table(
            ("seeds an arm", "verdicts", ""),
            rows,
            frozenset({0}),
            f"Looks declared at {', '.join(map(str, verdict.declared_looks))} seeds an arm; each "
            "may err with its part of 5%, and the first that decides ends the comparison.",
        )
