"""`deterministic`: kernels that give the same bits each time, asked of torch and only then."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.errors import UsageError
from assay.formats.config_checks import make_config
from assay.formats.train_config import Intervals
from assay.train.runtime.compiled_model import compile_model
from tests.support.bins_fixture import draw_documents, make_bins
from tests.support.runs import train

SMALL = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "batch_size": 4}
SMALL |= {"max_iters": 6, "device": "cpu", "dropout": 0.1}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)


def ask() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch._inductor.config.deterministic


def test_a_graph_is_made_and_run_under_torchs_own_switches_and_they_are_put_back() -> None:
    found = []

    class Spy(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            found.append(ask())
            return x * 1

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
            found.append(ask())
            return grads[0]

    for wanted in (True, False):
        compiled = compile_model(make_config({"device": "cpu", "deterministic": wanted}), 64)
        with compiled.use_kernels():
            Spy.apply(torch.ones(3, requires_grad=True)).sum().backward()
        assert found[-2:] == [(wanted, wanted)] * 2
        assert ask() == (False, False)


def test_an_error_on_the_way_puts_the_switches_back() -> None:
    compiled = compile_model(make_config({"device": "cpu", "deterministic": True}), 64)

    with pytest.raises(ZeroDivisionError), compiled.use_kernels():
        assert ask() == (True, True)
        raise ZeroDivisionError

    assert ask() == (False, False)


def test_cublas_is_configured_before_it_is_used_and_what_the_user_set_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compile_model(make_config({"device": "cpu"}), 64)
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    compile_model(make_config({"device": "cpu", "deterministic": True}), 64)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    compile_model(make_config({"device": "cpu", "deterministic": True}), 64)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":16:8"


def test_on_the_cpu_it_changes_no_bit_and_a_run_does_not_change_over(tmp_path: Path) -> None:
    bins = make_bins(tmp_path / "bins", draw_documents(0, 40), draw_documents(1, 10))
    intervals = Intervals(log=1, evaluate=0, checkpoint=2)
    runs = [
        train(
            bins,
            tmp_path / str(wanted),
            config=make_config({**SMALL, "deterministic": wanted}),
            intervals=intervals,
        )
        for wanted in (True, False)
    ]

    assert runs[0].read_losses().equals(runs[1].read_losses())
    assert runs[0].config.deterministic
    with pytest.raises(UsageError, match="deterministic"):
        train(bins, tmp_path / "False", config=runs[0].config, intervals=intervals)


def test_a_compiled_model_that_is_not_deterministic_serves_no_run_that_has_to_be() -> None:
    asked = make_config({"device": "cpu", "deterministic": True})

    assert not compile_model(make_config({"device": "cpu"}), 64).fits(asked)
    assert compile_model(asked, 64).fits(asked)


def test_choosing_kernels_by_their_time_is_refused_beside_it() -> None:
    with pytest.raises(UsageError, match="compile tuned takes what runs fastest"):
        make_config({"deterministic": "true", "compile": "tuned"})
