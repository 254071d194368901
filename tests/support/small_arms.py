"""Documents and settings of comparisons that take a second."""

from typing import Any

from assay.formats.config_checks import make_config
from assay.formats.train_config import TrainConfig
from tests.support.bins_fixture import draw_documents

DOCUMENTS = draw_documents(0, 200)

VAL = draw_documents(1, 30)


def settings(**changes: Any) -> TrainConfig:
    base = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 8}
    return make_config({**base, "max_iters": 12, "device": "cpu", **changes})
