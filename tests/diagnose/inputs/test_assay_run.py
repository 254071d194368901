"""How far the choice of held-out documents shifts a loss: a run's own measure, else the usual."""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.diagnose.hypotheses.experiments import score_more
from assay.diagnose.inputs.assay_run import estimate_error
from assay.diagnose.run import weigh_log
from assay.errors import InputError
from assay.formats.hypothesis import Hypothesis, HypothesisName
from assay.formats.run import LOSS_COLUMNS
from assay.storage.tables import write_table
from tests.diagnose.analysis.test_law_validity import make_tiny_run
from tests.support.logs import find


def write_losses(run_folder: Path, nats: list[float], *, leaked: int = 0) -> None:
    """Write losses of documents of 60 tokens; the last so many of them leaked."""
    number = len(nats)
    columns = {"document": range(number), "nats": nats, "tokens": [60] * number}
    columns |= {"bytes": [120] * number, "leaked": [at >= number - leaked for at in range(number)]}
    write_table(run_folder / "losses.parquet", pl.DataFrame(columns), LOSS_COLUMNS)


def test_a_runs_own_losses_say_how_far_the_set_is_off(here: Path) -> None:
    run_folder = make_tiny_run(here / "run", 2.1)
    write_losses(run_folder, [120.0 + 20 * (-1) ** at for at in range(60)] + [9e9], leaked=1)

    found = _weigh_set(run_folder)

    # each document is off by 20 / 60 nats a token
    error = 20 / 60 / math.sqrt(59)
    assert found.evidence[0].sentence == (
        f"val has 3,600 tokens: its choice alone shifts the loss by {error:.3f} (1 sd, "
        "measured on each of 60 documents)"
    )
    assert (found.evidence[0].points, found.level) == (1.5, "possible")


def test_a_set_that_was_measured_bad_is_direct_evidence(here: Path) -> None:
    run_folder = make_tiny_run(here / "run", 2.1)
    write_losses(run_folder, [40.0, 240.0] * 3)

    (fact, *_) = _weigh_set(run_folder).evidence

    assert (fact.points, fact.direct) == (3.0, True)


def test_without_a_runs_own_losses_the_usual_figure_is_no_direct_evidence(here: Path) -> None:
    run_folder = make_tiny_run(here / "run", 2.1)
    manifest = json.loads((run_folder / "manifest.json").read_text())
    manifest["totals"]["held_out_tokens"] = 3_600
    (run_folder / "manifest.json").write_text(json.dumps(manifest))

    (fact, *_) = _weigh_set(run_folder).evidence

    assert (fact.points, fact.direct) == (3.0, False)
    assert "by 0.572 (1 sd, as for other sets of web text)" in fact.sentence


def test_losses_that_cannot_be_read_are_one_line(here: Path) -> None:
    run_folder = make_tiny_run(here / "run", 2.1)
    (run_folder / "losses.parquet").write_bytes(b"PAR1")

    with pytest.raises(InputError, match=r"run/losses\.parquet cannot be read"):
        weigh_log(run_folder)


@pytest.mark.parametrize(
    ("scored", "most", "says"),
    [
        (None, None, "--held-out-documents 20000: one fixed set"),
        (60, None, "--held-out-documents 20000: one fixed set"),
        (2_000, 30_000, "--held-out-documents 20000: one fixed set"),
        (None, 500, "--held-out-documents 500: all that are held out"),
        (500, 500, "all 500 held-out documents were scored; hold out others: assay prepare"),
    ],
)
def test_no_more_documents_are_advised_than_there_are(
    scored: int | None, most: int | None, says: str
) -> None:
    assert says in score_more(scored, most)


@pytest.mark.parametrize(("place", "known"), [("run", True), ("runs/0-0", False)])
def test_a_comparisons_run_does_not_say_how_many_are_held_out(
    here: Path, place: str, known: bool
) -> None:
    (here / place).parent.mkdir(exist_ok=True)
    run_folder = make_tiny_run(here / place, 2.1)
    write_losses(run_folder, [120.0, 125.0, 130.0])

    assert ("all 3 held-out documents" in _weigh_set(run_folder).experiment) == known


DOCUMENTS = st.lists(st.tuples(st.floats(0.5, 9), st.integers(1, 5_000)), min_size=2, max_size=40)


@given(DOCUMENTS)
def test_the_error_is_that_of_a_ratio_document_by_document(
    documents: list[tuple[float, int]],
) -> None:
    loss_J, tokens_J = (np.array(each, float) for each in zip(*documents, strict=True))

    found = estimate_error(loss_J * tokens_J, tokens_J)

    number, total = len(documents), sum(tokens for _, tokens in documents)
    mean = sum(loss * tokens for loss, tokens in documents) / total
    squares = sum(((loss - mean) * tokens / total) ** 2 for loss, tokens in documents)
    assert found == pytest.approx(math.sqrt(squares * number / (number - 1)), abs=1e-9)


def test_one_document_says_nothing_of_its_choice() -> None:
    assert estimate_error(np.array([7.0]), np.array([3.0])) is None
    assert estimate_error(np.zeros(2), np.zeros(2)) is None


def _weigh_set(run_folder: Path) -> Hypothesis:
    return find(weigh_log(run_folder), HypothesisName.VALIDATION_TOO_SMALL)
