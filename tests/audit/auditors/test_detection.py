"""Planted pairs found too seldom or too often are called a defect, and chance hardly ever is."""

import numpy as np
import pytest

from assay.audit.auditors.detection import judge_recall, strays
from assay.audit.minhash.lsh_config import MinHashConfig
from assay.audit.pairs.planted_pairs import LEVELS
from assay.formats.audit_totals import Lsh, PlantedLevel
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
