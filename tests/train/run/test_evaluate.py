from pathlib import Path

import numpy as np
import pytest
import torch

from assay.formats.config_checks import make_config
from assay.train.model.gpt import GPT
from assay.train.run.evaluate import hash_documents, load_held_out, score_documents
from tests.support.bins_fixture import END_OF_TEXT, draw_documents, make_bins

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def awake_model(block_size: int = 8) -> GPT:
    config = make_config({"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": block_size})
    model = GPT(config, 65, torch.float32)
    model.init_weights(3)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.2 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(4))
    return model


@torch.no_grad()
def slow_loss(model: GPT, document: list[int]) -> float:
    """Score a document alone: window by window, position by position, from its definition."""
    total, context = 0.0, [END_OF_TEXT, *document[:-1]]
    block = model.config.block_size
    for start in range(0, len(document), block):
        inputs = torch.tensor([context[start : start + block]])
        logits = model.hidden(inputs)[0] @ model.wte.weight.t()
        odds = torch.log_softmax(logits.double(), 1)
        for row, target in zip(odds, document[start : start + block], strict=True):
            total -= float(row[target])
    return total


def test_each_document_is_scored_as_if_alone(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    lengths = (1, 8, 9, 3, 16, 30, 2, 7)
    documents = [generator.integers(0, 64, length).tolist() for length in lengths]
    held_out = load_held_out(make_bins(tmp_path / "bins", [[1] * 20], documents))
    model = awake_model()

    for batch in (1, 3, 100):
        scores = score_documents(model, held_out, CPU, batch)

        assert scores.nats_J.tolist() == pytest.approx(
            [slow_loss(model, document) for document in documents], rel=1e-5
        )
        assert scores.tokens_J.tolist() == list(lengths)
    assert model.training


def test_the_loss_is_nats_a_token_of_what_did_not_leak(tmp_path: Path) -> None:
    held_out = load_held_out(make_bins(tmp_path / "bins", [[1] * 20], [[1, 2], [3], [4, 5, 6]]))
    scores = score_documents(
        awake_model(), held_out.mark_leaked(np.array([False, True, False])), CPU, 4
    )

    assert scores.loss_nats == pytest.approx((scores.nats_J[0] + scores.nats_J[2]) / 5)
    assert scores.to_table()["leaked"].to_list() == [False, True, False]


def test_empty_documents_are_left_out_and_the_others_keep_their_row(tmp_path: Path) -> None:
    held_out = load_held_out(make_bins(tmp_path / "bins", [[1] * 20], [[], [1, 2], [], [3]]))

    assert held_out.document_J.tolist() == [1, 3]
    assert held_out.tokens_J.tolist() == [2, 1]


def test_the_documents_chosen_do_not_depend_on_their_order(tmp_path: Path) -> None:
    documents = draw_documents(0, 30, 5)
    one = make_bins(tmp_path / "one", [[1] * 20], documents)
    two = make_bins(tmp_path / "two", [[1] * 20], documents[::-1])

    chosen = [load_held_out(bins, max_documents=10) for bins in (one, two)]

    assert chosen[0].document_J.tolist() == sorted(chosen[0].document_J.tolist())
    hashes = [sorted(hash_documents(h.ids, h.start_J, h.end_J)) for h in chosen]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 10


def test_no_documents_have_no_loss(tmp_path: Path) -> None:
    held_out = load_held_out(make_bins(tmp_path / "bins", [[1] * 20]))

    assert score_documents(awake_model(), held_out, CPU, 4).loss_nats is None
