"""Sound bands raise no alarm, whatever documents share; each way to break them does."""

from pathlib import Path

import pytest

from bench.broken_bands import LOST, SCAN_VALUES, TABLES, WAYS
from bench.made_clusters import make_sharing
from bench.recall_intervals import SCHEMES, alarm_of, audit_texts, judge_broken, judge_right


@pytest.mark.parametrize("seed", range(4))
def test_a_right_audit_raises_no_alarm(seed: int, tmp_path: Path) -> None:
    audit = judge_right(seed, tmp_path)

    assert alarm_of(audit) == ""
    assert audit.totals.lsh.planted[0].pairs > 50


@pytest.mark.slow
def test_right_audits_raise_no_alarm(tmp_path: Path) -> None:
    assert not [seed for seed in range(4, 64) if alarm_of(judge_right(seed, tmp_path))]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_texts_that_share_two_thirds_raise_no_alarm_in_any_number(
    scheme: str, tmp_path: Path
) -> None:
    for number in (30, 150, 900):
        audit = audit_texts(make_sharing(number, number), tmp_path, signature=scheme)

        assert alarm_of(audit) == "", number


def test_there_are_twenty_ways_to_break_bands() -> None:
    assert len(set(WAYS)) == 20


@pytest.mark.long
def test_each_way_to_break_bands_raises_an_alarm(tmp_path: Path) -> None:
    alarms = {way: alarm_of(judge_broken(way, 0, tmp_path)) for way in WAYS}

    assert all(alarms.values()), [way for way, alarm in alarms.items() if not alarm]
    assert all("keys" in alarms[way] for way in (*SCAN_VALUES, *TABLES))
    assert alarms[LOST] == "planted"
