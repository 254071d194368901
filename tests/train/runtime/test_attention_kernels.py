"""Which kernels a compiled model takes: those its settings name, whatever was compiled before."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend
from torch.profiler import ProfilerActivity, profile

from assay.formats.config_checks import make_config
from assay.train.runtime import compiled_model as models
from assay.train.runtime.compiled_model import CompiledModel, compile_model, count_parameters
from assay.train.runtime.device import choose_dtype

SHAPE = {"n_layer": 1, "n_head": 2, "n_embd": 64, "block_size": 64, "device": "cpu"}
# torch warns of what its own tracer does.
pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")


class Card:
    """A CPU that is told from one as CUDA is."""

    type = "cuda"


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the CPU's two kernels stand for CUDA's; nothing compiled before is known."""
    torch.compiler.reset()
    known = {"flash": [SDPBackend.FLASH_ATTENTION], "cudnn": [SDPBackend.MATH]}
    monkeypatch.setattr(models, "_ATTENTION_BACKENDS", known)
    yield
    torch.compiler.reset()


def make_one(attention: str) -> CompiledModel:
    config = make_config({**SHAPE, "compile": True, "attention": attention})
    made = compile_model(config, 64, backend="eager")
    made.model.init_weights(0)
    made.device = Card()  # type: ignore[assignment]
    return made


@pytest.mark.usefixtures("orders")
def test_a_model_does_not_take_the_graph_of_another_attention() -> None:
    ids_BT = torch.zeros(2, 64, dtype=torch.int64)
    ran = []
    for attention in ("flash", "cudnn", "flash", "cudnn"):
        made = make_one(attention)
        with made.use_kernels():
            made.forward(ids_BT, ids_BT + 1)
            with profile(activities=[ProfilerActivity.CPU], acc_events=True) as found:
                made.forward(ids_BT, ids_BT + 1)
        ran.append(any("flash" in event.key for event in found.key_averages()))

    assert ran == [True, False, True, False]


@pytest.mark.usefixtures("orders")
def test_code_that_is_kept_on_the_disk_has_the_attention_in_its_key() -> None:
    tags = set()
    for attention in ("flash", "cudnn", "auto"):
        with make_one(attention).use_kernels():
            tags.add(torch.compiler.config.cache_key_tag)

    assert len(tags) == 3
    assert torch.compiler.config.cache_key_tag not in tags - {""}


def test_the_graphs_are_compiled_deterministic_for_the_backward_one_is_made_in_another_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, dict[str, Any] | None] = {}

    def compile_(part: Any, **options: Any) -> Any:
        asked[str(options["backend"])] = options["options"]
        return part

    monkeypatch.setattr(torch, "compile", compile_)
    for backend in ("inductor", "eager"):
        compile_model(
            make_config({**SHAPE, "compile": True, "deterministic": True}), 64, backend=backend
        )

    assert asked == {"inductor": {"deterministic": True}, "eager": None}


@pytest.mark.parametrize(("major", "found"), [(9, torch.bfloat16), (7, torch.float16)])
def test_auto_asks_the_device_itself_for_its_precision(
    major: int, found: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Card:
        def __init__(self, major: int) -> None:
            self.major = major

    cards = {"cuda:0": Card(16 - major), "cuda:1": Card(major)}
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda device: cards[str(device)], raising=False
    )

    assert choose_dtype("auto", torch.device("cuda:1")) == found
    assert choose_dtype("auto", torch.device("cuda:0")) != found
    assert choose_dtype("float32", torch.device("cuda:1")) == torch.float32


@pytest.mark.parametrize("arch", ["modern", "nanogpt"])
def test_parameters_are_counted_without_a_device(arch: str) -> None:
    config = make_config({**SHAPE, "arch": arch})

    assert count_parameters(config, 70) == compile_model(config, 70).model.num_parameters
