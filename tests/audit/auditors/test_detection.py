"""Planted pairs found too seldom or too often are called a defect, and chance hardly ever is."""

from typing import Any

import numpy as np
import pytest

from assay.audit.auditors.detection import judge_recall, strays
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.planted_pairs import LEVELS
from assay.formats.audit_totals import Lsh, PlantedLevel
from assay.formats.findings import Finding
from tests.support.totals import make_totals

CONFIG = MinHashConfig()


def judge(pairs: int, found: int, expected: float, signature: str = "affine32") -> str:
    row = PlantedLevel(0.9, pairs, found, expected, 1.0)
    lsh = Lsh(threshold=0.8, bands=16, rows=8, planted=[row], signature=signature)
    [finding] = judge_recall(make_totals(lsh=lsh))
    return finding.level


def test_a_rare_miss_is_no_defect_and_many_are() -> None:
    assert judge(90, 89, 90 * CONFIG.detect(0.9)) == "unmeasured"
    assert judge(90, 1, 0.01) == "unmeasured"
    assert judge(90, 80, 90 * CONFIG.detect(0.9)) == "high"
    assert judge(90, 5, 0.01) == "high"
    assert judge(256, 200, 256 * CONFIG.detect(0.8)) == "high"
    assert judge(256, 200, 256 * CONFIG.detect(0.8), "slots") == "high"
    assert judge(10, 9, 10.0) == "high"
    assert judge(10, 10, 10.0) == "unmeasured"


def describe(**changes: Any) -> Finding:
    lsh = Lsh(threshold=0.8, bands=16, rows=8, planted_documents=90, **changes)
    [finding] = judge_recall(make_totals(lsh=lsh))
    return finding


def test_one_document_of_other_keys_is_a_defect() -> None:
    finding = describe(planted_unlike=1)

    assert (finding.level, finding.value) == ("high", None)
    assert "of 90 documents signed again, 1 have other band keys" in finding.sentence


def test_the_share_found_is_stated_with_the_interval_of_the_totals() -> None:
    told = describe(near_pairs=90, near_recall=0.95, near_recall_interval=(0.9, 1.0))
    low = describe(near_pairs=90, near_recall=0.85, near_recall_interval=(0.8, 0.9))
    left = describe(
        near_pairs=90, near_recall=0.95, near_recall_interval=(0.9, 1.0), near_clusters_left_out=2
    )

    assert (told.level, told.value, told.interval) == ("info", 0.95, (0.9, 1.0))
    assert told.sentence.startswith(
        "an estimated 95.0% of near pairs (95% interval 90.0 to 100.0%) were found; no document"
    )
    assert (low.level, low.value) == ("low", 0.85)
    assert "were found outside of 2 clusters too large; no" in left.sentence


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"near_pairs": 29, "near_clusters": 9}, "too few near pairs (29) to say"),
        ({"near_pairs": 90, "near_clusters": 2}, "90 near pairs stand in too few clusters (2) to"),
        (
            {"near_pairs": 90, "near_clusters": 2, "near_clusters_left_out": 1},
            "too few near pairs outside of 1 cluster too large to be compared to say",
        ),
    ],
)
def test_what_cannot_be_stated_is_not_measured(changes: dict[str, Any], reason: str) -> None:
    finding = describe(**changes)

    assert (finding.level, finding.value, finding.interval) == ("unmeasured", None, None)
    assert finding.sentence.startswith(f"not measured: {reason}")


# What 128 slots of 30 shingles find (LOG.md), where the stated chance is furthest from theirs.
SLOTS_OFF = (-0.0031, -0.0185, 0.0011, 0.0, 0.0110, 0.0, 0.0009, 0.0)


@pytest.mark.parametrize("off", [(0.0,) * len(LEVELS), SLOTS_OFF], ids=["affine32", "slots"])
@pytest.mark.parametrize("pairs", [5, 20, 90, 256])
def test_sound_bands_are_hardly_ever_called_a_defect(pairs: int, off: tuple[float, ...]) -> None:
    chance = np.array([CONFIG.detect(level) for level in LEVELS])
    drawn = np.random.default_rng(9).binomial(
        pairs, np.minimum(chance + off, 1), (3000, len(LEVELS))
    )

    alarms = sum(
        any(
            strays(PlantedLevel(0.9, pairs, int(found), pairs * told, 1.0))
            for found, told in zip(row, chance.tolist(), strict=True)
        )
        for row in drawn
    )

    assert alarms <= 3
