from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import UsageError
from assay.formats.config_checks import make_config
from assay.train.data.batches import Batches
from assay.train.data.window_order import make_order
from assay.train.model.gpt import GPT
from assay.train.runtime.compiled_model import CompiledModel, compile_model
from assay.train.runtime.memory import (
    choose_head,
    estimate_bytes,
    free_bytes,
    is_out_of_memory,
    largest_divisor,
    list_micro_batches,
)
from assay.train.settings.settings import size_settings

GIB = 2**30


def origin(**changes: object) -> GPT:
    """The 40M model without memory: it has shapes alone."""
    settings = {"arch": "nanogpt", **size_settings("40M-seed", "nanogpt"), "dropout": 0.1}
    with torch.device("meta"):
        return GPT(make_config({**settings, **changes}), 50_257, torch.bfloat16)


def test_what_was_measured_is_estimated_from_above_and_not_by_much() -> None:
    # An H200, 64 windows: 17.2 GiB with whole logits under autocast, 12.4 GiB in chunks.
    assert 12.4 <= estimate_bytes(origin(), 64, "chunked") / GIB < 16
    assert 17.2 <= estimate_bytes(origin(), 64, "plain") / GIB < 28


def test_a_large_card_takes_128_windows_and_twelve_gigabytes_take_16_or_more() -> None:
    assert list_micro_batches(origin(), 512, 80 * GIB)[0] == 128
    small = list_micro_batches(origin(), 512, 11 * GIB)[0]
    assert small >= 16
    assert estimate_bytes(origin(), small, choose_head(origin(), small, 11 * GIB)) < 11 * GIB


def test_where_memory_is_short_the_head_is_computed_in_chunks() -> None:
    micro = list_micro_batches(origin(), 512, 7 * GIB)[0]

    assert choose_head(origin(), micro, 7 * GIB) == "chunked"
    assert choose_head(origin(), 16, 80 * GIB) == "plain"
    assert choose_head(origin(head="fused"), 16, 1 * GIB) == "fused"


@given(st.integers(1, 600), st.integers(0, 40))
def test_micro_batches_divide_the_step_and_shrink_to_one(windows: int, gib: int) -> None:
    tries = list_micro_batches(origin(), windows, gib * GIB)

    assert all(windows % micro == 0 for micro in tries)
    assert tries == sorted(set(tries), reverse=True)
    assert tries[-1] == 1
    assert largest_divisor(windows, tries[0]) == tries[0]


def test_a_cap_on_the_allocator_counts_and_what_lies_idle_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {"mem_get_info": (70 * GIB, 80 * GIB), "memory_reserved": 5 * GIB}
    found |= {"memory_allocated": 3 * GIB, "get_per_process_memory_fraction": 11 / 80}
    for name, value in found.items():
        monkeypatch.setattr(torch.cuda, name, lambda _, value=value: value, raising=False)

    assert free_bytes(torch.device("cuda:0")) == pytest.approx((11 - 5 + 2) * GIB)


def test_a_compiled_model_serves_runs_of_its_shape_alone() -> None:
    config = make_config({"device": "cpu", "n_embd": 32, "n_head": 2})
    compiled = compile_model(config, 64)

    assert compiled.fits(make_config({"device": "cpu", "n_embd": 32, "n_head": 2, "seed": 5}))
    assert not compiled.fits(make_config({"device": "cpu", "n_embd": 64, "n_head": 2}))
    assert not compiled.fits(
        make_config({"device": "cpu", "n_embd": 32, "n_head": 2, "dropout": 0.1})
    )


@pytest.mark.parametrize(("asked", "found"), [("auto", 4), (3, 3), (12, 12)])
def test_micro_batches_on_the_cpu_are_batch_size_or_the_number_named(
    asked: object, found: int
) -> None:
    config = make_config({"batch_size": 4, "gradient_accumulation_steps": 3, "micro_batch": asked})
    compiled = compile_model(make_config({"device": "cpu"}), 64)

    assert compiled.choose_micro_batch(config, config.windows_per_step) == found


def test_auto_takes_fewer_while_the_memory_is_full_and_chooses_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = make_config({"batch_size": 64, "n_embd": 32, "n_head": 2, "device": "cpu"})
    compiled = compile_model(config, 64)
    compiled.device = torch.device("cuda:0")
    tried: list[int] = []

    def attempt(_: CompiledModel, micro: int) -> bool:
        tried.append(micro)
        return micro <= 9

    monkeypatch.setattr(CompiledModel, "_fits_memory", attempt)
    monkeypatch.setattr("assay.train.runtime.compiled_model.free_bytes", lambda _: 80 * GIB)

    assert compiled.choose_micro_batch(config, 64) == 8
    assert compiled.choose_micro_batch(config, 64) == 8
    assert tried == [64, 32, 16, 8]
    monkeypatch.setattr(CompiledModel, "_fits_memory", lambda *_: False)
    with pytest.raises(UsageError, match="not one window of 256 ids fits"):
        compiled.choose_micro_batch(config, 32)


# torch warns of what its own tracer does.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
def test_the_graph_that_was_tried_is_the_one_that_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("synchronize", "empty_cache"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    made: list[Any] = []

    def keep(graph: Any, _: Any) -> Any:
        made.append(graph)
        return graph.forward

    ids = np.arange(400, dtype=np.uint16) % 60
    shape = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 16, "device": "cpu"}
    counts = []
    for arch, windows in (("modern", 4), ("nanogpt", 4), ("modern", 4), ("modern", 1)):
        made.clear()  # an arch must not trip over another's guards
        config = make_config({**shape, "arch": arch, "compile": True})
        compiled = compile_model(config, 64, backend=keep)
        batches = Batches(ids, make_order(config, ids.size), compiled.device)

        assert compiled._fits_memory(windows)
        for step in range(2):
            compiled.forward(*batches.fetch(windows * step, windows)).backward()

        counts.append(len(made))
    assert counts == [1, 1, 0, 1]  # the third takes the first one's


def test_a_choice_is_made_once_more_where_it_no_longer_fits_and_its_head_goes_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CompiledModel, "_fits_memory", lambda *_: True)
    compiled = CompiledModel(
        origin(), lambda *_: torch.zeros(()), torch.device("cuda:0"), torch.bfloat16, None
    )
    config = make_config({"block_size": 1024, "batch_size": 64})

    def choose(gib: float, windows: int = 64) -> tuple[int, str]:
        monkeypatch.setattr(
            "assay.train.runtime.compiled_model.free_bytes", lambda _: int(gib * GIB)
        )
        return compiled.choose_micro_batch(config, windows), compiled.model.head

    much, little = choose(60), choose(7, 32)
    assert much[1] == "plain"
    assert little[1] == "chunked"
    needed = estimate_bytes(compiled.model, *much) / GIB
    assert choose(1.01 * needed) == much  # by estimate it fits, without the margin of a choice
    assert choose(7, 32) == little
    assert choose(0.5 * needed)[0] < much[0]


def test_a_trial_holds_what_a_step_has_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("synchronize", "empty_cache"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    compiled = compile_model(make_config({"device": "cpu"}), 64)
    weights = sum(weight.numel() for weight in compiled.model.parameters())
    taken: list[int] = []
    empty = torch.empty

    def take(size: int, **options: Any) -> torch.Tensor:
        taken.append(size)
        if len(taken) > 1:
            raise RuntimeError("Triton Error [CUDA]: out of memory")
        return empty(size, **options)

    monkeypatch.setattr("assay.train.runtime.compiled_model.torch.empty", take)

    assert compiled._fits_memory(1)
    assert taken == [12 * weights]
    assert not compiled._fits_memory(1)
    monkeypatch.setattr("assay.train.runtime.compiled_model.torch.empty", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compiled._fits_memory(1)
    assert is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"))
    assert not is_out_of_memory(RuntimeError("device-side assert triggered"))
