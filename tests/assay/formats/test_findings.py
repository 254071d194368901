from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from assay.formats.audit import open_audit
from assay.formats.findings import (
    LEVELS,
    Finding,
    FindingKind,
    describe_findings,
    sort_findings,
)


def find(name: str, value: float, level: str = "low", sentence: str = "s") -> Finding:
    return Finding(
        name=name, level=level, value=value, threshold=0.0, unit="share", sentence=sentence
    )


def test_findings_come_worst_first_and_keep_their_order() -> None:
    mixed = [find(f"{level}{n}", 0, level) for n in (1, 2) for level in reversed(LEVELS)]

    assert [finding.name for finding in sort_findings(mixed)] == [
        f"{level}{n}" for level in LEVELS for n in (1, 2)
    ]


def test_hostile_names_do_not_reach_the_terminal() -> None:
    shown = describe_findings([find("a", 0, sentence="shard \x1b[2J\u202e.parquet\nhigh  fake")])

    assert len(shown.splitlines()) == 1
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert describe_findings([]) == "no findings"


def test_on_a_terminal_sentences_are_broken_and_what_to_do_stands_beneath() -> None:
    worst = find("exact", 0.3, "high", "56.50% of documents repeat another, byte for byte")
    worst = msgspec.structs.replace(worst, action="prepare with --drop exact", evidence="p.parquet")
    calm = find("null", 0.0, "ok", "none")

    shown = describe_findings([calm, worst], 50)

    assert shown.splitlines() == [
        "high  exact  56.50% of documents repeat another,",
        "             byte for byte",
        "             prepare with --drop exact; p.parquet",
        "ok    null   none",
    ]
    assert describe_findings([worst]).endswith("p.parquet  prepare with --drop exact")


def test_one_reason_for_several_findings_is_printed_once() -> None:
    kinds = [FindingKind(name=name, measures="") for name in ("leak", "spans", "plan")]
    rows = [kind.skip("no val", action="name it") for kind in kinds[:2]] + [kinds[2].skip("none")]

    assert describe_findings(rows, 60).splitlines() == [
        "unmeasured  leak   not measured: no val",
        "                   name it",
        "unmeasured  spans  not measured, as leak",
        "unmeasured  plan   not measured: none",
    ]


@given(width=st.integers(60, 200), words=st.lists(st.text("ab-=>5", min_size=1, max_size=12)))
def test_no_line_of_a_finding_passes_the_edge(width: int, words: list[str]) -> None:
    shown = describe_findings([find("giant_cluster", 0.0, sentence=" ".join(words))], width)

    assert all(len(line) <= width for line in shown.splitlines())
    assert " ".join(shown.split()[2:]) == " ".join(words)


def test_rows_that_are_no_documents_have_no_table_to_look_in(audited: Path) -> None:
    evidence = {each.name: each.evidence for each in open_audit(audited).read_findings()}

    assert (evidence["null"], evidence["oversized"]) == ("", "")
    assert evidence["empty"] == evidence["invalid_utf8"] == "documents.parquet"
    assert all(name == "" or (audited / name).exists() for name in evidence.values())
