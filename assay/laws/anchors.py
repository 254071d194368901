"""What loss and what learning rate to expect of a small GPT, from runs and rules of others.

Valid for GPT-2's tokens of English web text; elsewhere values mean little, differences some.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from assay.laws.scaling import Range, predict_muennighoff

# llm.c's GPT-2 on FineWeb, annealed to 0, no dropout: its parameters, blocks' share, tokens, loss.
_ANCHOR_PARAMETERS, _ANCHOR_BLOCKS = 124e6, 84.9e6
_ANCHOR_SEEN, _ANCHOR_LOSS = 10.26e9, 3.2722
ANCHORED_PARAMETERS = (15e6, 500e6)  # runs outside were never set beside the anchor


def _chinchilla(
    floor: float, size: float, tokens: float, alpha: float, beta: float
) -> Callable[[float, float], float]:
    return lambda parameters, seen: floor + size / parameters**alpha + tokens / seen**beta


# Hoffmann et al. 2022; Besiroglu et al. 2024 (arXiv 2404.10102); Muennighoff et al. 2023.
_LAWS: dict[str, Callable[[float, float], float]] = {
    "Hoffmann": _chinchilla(1.69, 406.4, 410.7, 0.34, 0.28),
    "Besiroglu": _chinchilla(1.8172, 482.01, 2085.43, 0.3478, 0.3658),
    "Muennighoff": lambda parameters, seen: predict_muennighoff(parameters, seen, seen),
}


def _predict_kaplan(blocks: float, seen: float) -> float:
    """Kaplan et al. 2020, equation 1.5; `blocks` are the parameters that are no embeddings."""
    return float(((8.8e13 / blocks) ** (0.076 / 0.095) + 5.4e13 / seen) ** 0.095)


def expect_losses(parameters: int, blocks: int, seen: float) -> dict[str, float]:
    """Predict the loss of an annealed run without dropout by four laws, each led through one run.

    A law's own value belongs to another corpus, so each is shifted (Kaplan's: scaled) until it
    gives 3.2722 for llm.c's GPT-2 124M after 10.26B tokens of FineWeb.

    Args:
        parameters: As nanoGPT counts them.
        blocks: Those that are no embeddings.
        seen: Tokens of the whole schedule.
    """
    losses = {
        name: law(parameters, seen) + _ANCHOR_LOSS - law(_ANCHOR_PARAMETERS, _ANCHOR_SEEN)
        for name, law in _LAWS.items()
    }
    scale = _ANCHOR_LOSS / _predict_kaplan(_ANCHOR_BLOCKS, _ANCHOR_SEEN)
    losses["Kaplan"] = scale * _predict_kaplan(blocks, seen)
    return losses


def expect_loss(
    parameters: int, blocks: int, seen: float, *, dropout: float = 0.0, floor_share: float = 0.0
) -> Range:
    """Expect the loss at the end of a schedule, as a range over the four laws.

    Dropout 0.1 adds 0.03 to 0.05 (others in proportion), a learning rate that stays at a tenth of
    its peak 0.01.
    """
    losses = expect_losses(parameters, blocks, seen).values()
    left_on = 0.01 if floor_share >= 0.05 else 0.0
    caveats = [
        "the loss to expect is good to 0.1 nats/token at best: four laws, led through one run "
        "(llm.c's 124M on FineWeb, 3.272)"
    ]
    low, high = ANCHORED_PARAMETERS
    if not low <= parameters <= high:
        caveats.append(
            f"{parameters / 1e6:.1f}M parameters are outside the 15M to 500M ever compared"
        )
    return Range(
        min(losses) + 0.3 * dropout + left_on, max(losses) + 0.5 * dropout + left_on, tuple(caveats)
    )


def floor_loss(parameters: int) -> Range:
    """Return the loss with infinite data at this size by three laws, not anchored."""
    losses = [law(parameters, math.inf) for name, law in _LAWS.items() if name != "Muennighoff"]
    losses.append(predict_muennighoff(parameters, 1e18, 1e18))
    return Range(min(losses), max(losses))


def recommend_rates(parameters: int, blocks: int, seen: float) -> list[tuple[str, float]]:
    """Return what published rules give for AdamW's peak learning rate, by name, lowest first.

    DeepSeek LLM 2024: 0.3118 C^-0.125 with C = 6 N D FLOP. Step Law 2025: 1.79 N^-0.713 D^0.307,
    N without embeddings (extrapolated to small N; an upper end).
    """
    compute = 6 * parameters * seen
    rules = {
        "DeepSeek": 0.3118 * compute**-0.125,
        "Step Law": 1.79 * blocks**-0.713 * seen**0.307,
    }
    return sorted(rules.items(), key=lambda rule: rule[1])


@dataclass(frozen=True, slots=True)
class Lever:
    """A change to a run and by how much the loss falls with it: nats a token, and the source."""

    name: str
    low: float
    high: float
    source: str


def estimate_growth(parameters: int, grown: int, seen: float) -> Lever:
    """Estimate what a larger model buys at equal tokens: over the three laws that know both."""
    gains = [law(parameters, seen) - law(grown, seen) for law in _LAWS.values()]
    return Lever(
        f"{grown / 1e6:.0f}M parameters, same tokens",
        min(gains),
        max(gains),
        "three laws: Hoffmann, Besiroglu, Muennighoff",
    )


def estimate_tokens(parameters: int, seen: float, factor: float = 2.0) -> Lever:
    """Estimate what more new tokens buy: a third of the laws' promise up to all of it.

    Measured on 17M parameters, 24 times the tokens bought 0.13 where Besiroglu's law promises
    0.44: the laws promise three times too much where a small model has seen many tokens.
    """
    gains = [law(parameters, seen) - law(parameters, factor * seen) for law in _LAWS.values()]
    return Lever(
        f"{factor:g}x the tokens, all new",
        min(gains) / 3.4,
        max(gains),
        "a 17M run on FineWeb .. three laws",
    )
