"""The section of a diagnosis: what it comes to, every hypothesis with its evidence, the levers."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from assay.console import count, show_line
from assay.errors import InputError
from assay.reports.page import Banner, Block, Facts, Mark, Note, Section, Table

DIAGNOSIS = "diagnosis.json"
_TONES = {"certain": "bad", "likely": "warn", "refuted": "good"}
_CAUSES = ("certain", "likely")


class Evidence(msgspec.Struct, frozen=True):
    """One fact, for (points over 0) or against a hypothesis."""

    points: float
    sentence: str
    direct: bool


class Weighed(msgspec.Struct, frozen=True):
    """A hypothesis as `assay diagnose` wrote it."""

    name: str
    level: str
    points: float
    evidence: list[Evidence]
    missing: list[str]
    experiment: str
    tokens: float | None
    gain: tuple[float, float] | None
    gain_source: str


class Lever(msgspec.Struct, frozen=True):
    """A change, and by how many nats a token it would lower the loss."""

    name: str
    low: float
    high: float
    source: str


class Log(msgspec.Struct, frozen=True):
    """What was read."""

    format: str
    last_step: int
    notes: list[str]


class Diagnosed(msgspec.Struct, frozen=True):
    """`diagnosis.json`, as far as the page shows it."""

    log: Log
    conclusions: list[str]
    hypotheses: list[Weighed]
    levers: list[Lever]
    budget: list[tuple[str, str]] | None = None


def read_diagnosis(folder: Path) -> Diagnosed:
    """Read the diagnosis that a sealed folder holds.

    Raises:
        InputError: The file is missing, or is not as `assay diagnose` writes it.
    """
    path = folder / DIAGNOSIS
    try:
        return msgspec.json.decode(path.read_bytes(), type=Diagnosed)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error


def judge_diagnosis(found: Diagnosed, name: str) -> Banner:
    """Say in a few words which causes stand out."""
    causes = [each for each in found.hypotheses if each.level in _CAUSES]
    word = f"{causes[0].level}: {causes[0].name}" if causes else "no cause stands out"
    tone = "bad" if any(each.level == "certain" for each in causes) else "warn"
    # With causes, marks list them: the sentence says what else it comes to, data first.
    said, _ = _part(found)
    return Banner(
        tone if causes else "plain",
        show_line(word, 80),
        f"diagnosis {name}",
        show_line(said, 1_000),
        tuple(
            Mark(
                "bad" if each.level == "certain" else "warn",
                each.level,
                show_line(each.name),
                show_line(f"decides: {each.experiment}", 500),
            )
            for each in causes
        ),
    )


def view_diagnosis(found: Diagnosed, number: int, name: str) -> Section:
    """Show a diagnosis: the run, hypotheses, evidence for and against, levers, notes."""
    lead = (
        f"A log of {show_line(found.log.format, 40)} until step {count(found.log.last_step)}, "
        f"weighed against {len(found.hypotheses)} hypotheses; points are log-odds, and nothing is "
        "certain or refuted without direct evidence."
    )
    _, rest = _part(found)
    blocks: list[Block] = [Note(show_line(text, 1_000)) for text in rest]
    blocks.append(_list_hypotheses(found))
    if found.budget:
        blocks.append(Facts(tuple(_join_rows(found.budget))))
    blocks += [_list_evidence(each) for each in found.hypotheses if each.evidence]
    if found.levers:
        blocks.append(_list_levers(found.levers))
    blocks += [Note(show_line(note, 500), "warn") for note in found.log.notes]
    return Section(f"diagnosis-{number}", f"Diagnosis: {show_line(name)}", lead, tuple(blocks))


def list_levels(found: Diagnosed) -> list[tuple[str, str, str]]:
    """List the hypotheses, the likeliest first: level, points, name."""
    return [
        (show_line(each.level, 20), f"{each.points:+.1f}", show_line(each.name, 80))
        for each in found.hypotheses
    ]


def _part(found: Diagnosed) -> tuple[str, list[str]]:
    """Part the conclusions: one for the banner, those for the section."""
    sentences = [_sentence(text) for text in found.conclusions]
    if any(each.level in _CAUSES for each in found.hypotheses):
        sentences = sentences[1:]
    return (sentences[0], sentences[1:]) if sentences else ("", [])


def _join_rows(rows: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Join rows without a name, which go on with the one before, to it."""
    joined: list[tuple[str, str]] = []
    for what, text in rows:
        if what or not joined:
            joined.append((what, text))
        else:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {text}")
    yield from ((show_line(what), show_line(text, 300)) for what, text in joined)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _list_hypotheses(found: Diagnosed) -> Table:
    rows = [
        (
            show_line(each.level, 20),
            show_line(each.name),
            show_line(each.experiment, 300),
            _show_tokens(each.tokens),
            "-" if each.gain is None else f"{each.gain[0]:.3f} to {each.gain[1]:.3f}",
            f"{each.points:+.1f}",
        )
        for each in found.hypotheses
    ]
    columns = ("level", "hypothesis", "what decides", "tokens", "would buy, nats/token", "points")
    return Table(
        columns,
        tuple(rows),
        frozenset({3, 4, 5}),
        "Hypotheses, the likeliest first",
        tones=tuple(_TONES.get(each.level, "plain") for each in found.hypotheses),
    )


def _show_tokens(tokens: float | None) -> str:
    """Write what an experiment costs: nothing is an answer, a dash is none."""
    if tokens is None:
        return "-"
    return f"{tokens / 1e6:,.0f}M" if tokens else "none"


def _list_evidence(each: Weighed) -> Table:
    facts = sorted(each.evidence, key=lambda fact: -abs(fact.points))
    rows = [
        (f"{fact.points:+.1f}", "direct" if fact.direct else "", show_line(fact.sentence, 1_000))
        for fact in facts
    ]
    rows += [("", "missing", show_line(what, 500)) for what in each.missing]
    return Table(
        ("points", "", "evidence"),
        tuple(rows),
        frozenset({0}),
        folded=f"{show_line(each.level, 20)} ({each.points:+.1f}): {show_line(each.name)}",
    )


def _list_levers(levers: list[Lever]) -> Table:
    rows = [
        (show_line(x.name), f"{-x.high:+.3f} to {-x.low:+.3f}", show_line(x.source, 200))
        for x in levers
    ]
    columns = ("change", "loss, nats/token", "source")
    return Table(columns, tuple(rows), frozenset({1}), "What would change the loss")
