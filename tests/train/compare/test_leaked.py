"""Documents that an arm was trained on, told apart."""

from pathlib import Path

import numpy as np
import pytest
import torch

from assay.train.commands.verdict_text import describe_verdict
from assay.train.compare.wording import write_leak
from assay.train.stats.leak_effect import measure_leak
from assay.train.stats.paired_difference import Losses
from tests.support.bins_fixture import make_bins
from tests.support.runs import compare
from tests.support.small_arms import DOCUMENTS, VAL, settings


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_what_leaked_is_measured_against_what_did_not(tmp_path: Path) -> None:
    clean = make_bins(tmp_path / "clean", DOCUMENTS[:20], VAL)
    leaky = make_bins(tmp_path / "leaky", [*DOCUMENTS[:12], *VAL[:8]], VAL)
    config = settings(max_iters=300, n_embd=32)

    made = compare([clean, leaky], tmp_path / "ab", config=config, seeds=2, allow_leaked=True)

    pairing = made.verdict.comparisons[0]
    leak = pairing.leak
    assert leak is not None
    assert pairing.difference is not None
    assert pairing.leaked_difference is not None
    assert leak.documents == 8
    assert leak.difference == pytest.approx(pairing.leaked_difference)
    assert leak.excess == pytest.approx(pairing.leaked_difference - pairing.difference)
    assert leak.interval[1] < 0
    assert leak.optimism > 0
    assert "its val would be optimistic by" in describe_verdict(made.verdict)


def test_a_planted_leak_is_found_within_its_interval() -> None:
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(100):
        losses, leaked_J = plant_leak(generator)
        found = measure_leak(losses, leaked_J, ~leaked_J)
        assert found is not None
        inside += found.interval[0] < -0.1 < found.interval[1]
        share = losses.tokens_J[leaked_J].sum() / losses.tokens_J.sum()
        assert found.optimism == pytest.approx(-share * found.excess)
        assert found.optimism_interval[0] < found.optimism < found.optimism_interval[1]

    assert inside >= 88  # 95 in the long run
    assert write_leak(found, "leaky", "clean").startswith("leaky was trained on 40 held-out")
    assert measure_leak(losses, leaked_J & False, ~leaked_J) is None


def plant_leak(generator: np.random.Generator) -> tuple[Losses, np.ndarray]:
    """Draw 120 documents of which B has 40 at 0.1 nats a token less, and is 0.02 worse itself."""
    tokens_J = generator.integers(50, 500, 120).astype(float)
    leaked_J = np.arange(120) < 40
    arms = [
        (
            3.0
            + (0.02 - 0.1 * leaked_J) * place
            + generator.normal(0, 0.004, (3, 1))
            + generator.normal(0, 0.05, (3, 120))
        )
        * tokens_J
        for place in (0, 1)
    ]
    return Losses(arms[0], arms[1], tokens_J, tokens_J * 4), leaked_J
