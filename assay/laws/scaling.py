"""Arithmetic of a training run: parameters, tokens, epochs, and what repeating tokens costs.

Losses are nats a token; tokens are ids; U is the unique tokens of the training data.
"""

import math
from dataclasses import dataclass

# Muennighoff et al. 2023 (arXiv 2305.16264), constants as in their repository, fitted on C4.
_A, _B, _E = math.exp(6.255414), math.exp(7.3049974), math.exp(0.6254804)
_EXPONENT = 0.3526596
_REPEATS_STAR = 15.387756
_EXCESS_STAR = 5.309743
# Unique tokens times its square are the parameters that they can feed; alpha = beta here.
_FEEDS = (_A / _B) ** (1 / (2 * _EXPONENT))

BITS_PER_PARAMETER = 3.6  # Morris et al. 2025 (arXiv 2505.24832): what a GPT can memorise
BITS_PER_TOKEN = 5.2  # entropy of a GPT-2 token of web text: 3.6 nats
TOKENS_PER_PARAMETER = 20.0  # Hoffmann et al. 2022 (Chinchilla): most loss for the compute
FEW_EPOCHS = 4.0  # Muennighoff et al.: up to here a repeated token is worth nearly a new one
FIT_PARAMETERS = (83e6, 619e6)
FIT_UNIQUE = (0.1e9, 1.5e9)
FIT_REFUSES_UNDER = 50e6  # unique tokens; there runs overfit, which the fit has not seen
FIT_FACTOR = 2.3  # one sd of its residuals, as a factor
OVERPREDICTS = 5.5  # the most by which the formula exceeded a run of at most 150M parameters


@dataclass(frozen=True, slots=True)
class Parameters:
    """Weights of a GPT-2-like model with tied embeddings.

    `counted` is what nanoGPT prints: all but the positions.
    """

    blocks: int
    embedding: int
    positions: int
    norms: int

    @property
    def counted(self) -> int:
        """Number of parameters as nanoGPT prints it."""
        return self.blocks + self.embedding + self.norms


@dataclass(frozen=True, slots=True)
class Range:
    """What an estimate can be, in nats a token; both ends from a source, the caveats in words."""

    low: float
    high: float
    caveats: tuple[str, ...] = ()

    def cap(self, limit: float) -> "Range":
        """Return the range with both ends at most `limit`."""
        return Range(min(self.low, limit), min(self.high, limit), self.caveats)


def count_parameters(
    n_layer: int,
    n_embd: int,
    vocab_size: int = 50304,
    block_size: int = 1024,
    *,
    bias: bool = False,
) -> Parameters:
    """Count the weights of nanoGPT's model.

    A block has 12 n_embd^2 in matrices (query, key, value and projection 4, MLP 8).
    Source: `get_num_params` of nanoGPT's model.py.

    >>> count_parameters(12, 384).counted
    40560000
    """
    return Parameters(
        blocks=n_layer * (12 * n_embd**2 + (9 * n_embd if bias else 0)),
        embedding=vocab_size * n_embd,
        positions=block_size * n_embd,
        norms=(2 * n_layer + 1) * n_embd * (2 if bias else 1),
    )


def effective_tokens(seen: float, unique: float) -> float:
    """Return D': how many new tokens the tokens seen are worth, repeats discounted.

    U + U R* (1 - exp(-R / R*)) with R = epochs - 1, R* = 15.39; at most 16.4 U.
    Source: Muennighoff et al. 2023, equation 5.
    """
    if seen <= unique:
        return seen
    repeats = seen / unique - 1
    return unique * (1 + _REPEATS_STAR * -math.expm1(-repeats / _REPEATS_STAR))


def predict_muennighoff(parameters: float, seen: float, unique: float) -> float:
    """Predict a loss on C4 from repeated tokens; differences mean more than the value.

    Source: Muennighoff et al. 2023; their README's example is 2.2256.

    >>> round(predict_muennighoff(6.34e9, 242e9, 25e9), 4)
    2.2256
    """
    unique = min(unique, seen)
    fed = min(unique * _FEEDS**2, parameters)
    excess = parameters / fed - 1
    size = fed * (1 + _EXCESS_STAR * -math.expm1(-excess / _EXCESS_STAR))
    worth: float = effective_tokens(seen, unique) ** _EXPONENT
    return float(_E + _A / size**_EXPONENT + _B / worth)


def predict_repetition(parameters: float, seen: float, unique: float) -> float:
    """Return the loss that repeating costs by the formula: against as many tokens, all new."""
    if seen <= unique:
        return 0.0
    new = predict_muennighoff(parameters, seen, seen)
    return max(0.0, predict_muennighoff(parameters, seen, unique) - new)  # rounding can go below


def fit_repetition(parameters: float, seen: float, unique: float) -> float | None:
    """Return the loss that repeating costs by a fit to runs; None where it must not be used.

    ln cost = -12.74 + 1.18 ln N[M] + 0.03 ln U[B] + 1.25 ln(epochs - 1), least squares over the 19
    pairs of runs in the datablations repository whose cost is positive (83M to 619M parameters,
    0.1B to 1.5B unique tokens, 1.8 to 200 epochs); residual sd 0.43, a factor of 2.3 for two of
    them. Below 50M unique tokens it is refused.
    """
    if unique < FIT_REFUSES_UNDER:
        return None
    if seen <= unique:
        return 0.0
    return math.exp(
        -12.74
        + 1.18 * math.log(parameters / 1e6)
        + 0.03 * math.log(unique / 1e9)
        + 1.25 * math.log(seen / unique - 1)
    )


def estimate_repetition(parameters: float, seen: float, unique: float) -> Range:
    """Estimate the loss that repeating costs, between the fit to small runs and the formula."""
    formula = predict_repetition(parameters, seen, unique)
    fitted = fit_repetition(parameters, seen, unique)
    if fitted is None:
        return Range(formula / OVERPREDICTS, formula, _caveats(parameters, unique))
    return Range(min(fitted, formula), max(fitted, formula), _caveats(parameters, unique))


def estimate_unique_gain(parameters: float, seen: float, unique: float, new_unique: float) -> Range:
    """Estimate how much lower the loss is with more unique tokens, at equal tokens seen.

    Args:
        parameters: As nanoGPT counts them.
        seen: Tokens trained on, the same with either data.
        unique: Unique tokens now.
        new_unique: Unique tokens then, at least as many.
    """
    formula = predict_repetition(parameters, seen, unique) - predict_repetition(
        parameters, seen, new_unique
    )
    fitted, then = (fit_repetition(parameters, seen, u) for u in (unique, new_unique))
    low = formula / OVERPREDICTS if fitted is None or then is None else max(0.0, fitted - then)
    return Range(min(low, formula), max(low, formula), _caveats(parameters, unique))


def _caveats(parameters: float, unique: float) -> tuple[str, ...]:
    said = [
        "the formula (Muennighoff et al. 2023, C4) exceeded its own runs of at most 150M "
        "parameters 3.5 to 5.5 times"
    ]
    if unique < FIT_REFUSES_UNDER:
        said.append(
            "under 50M unique tokens the fit to small runs is not used: the low end is the formula "
            f"over {OVERPREDICTS:g}"
        )
        return tuple(said)
    said.append(f"the fit is good to a factor of {FIT_FACTOR:g} either way")
    outside = []
    if not FIT_PARAMETERS[0] <= parameters <= FIT_PARAMETERS[1]:
        outside.append(f"{parameters / 1e6:.1f}M parameters (it saw 83M to 619M)")
    if not FIT_UNIQUE[0] <= unique <= FIT_UNIQUE[1]:
        outside.append(f"{unique / 1e9:.2f}B unique tokens (it saw 0.1B to 1.5B)")
    if outside:
        said.append("the fit extrapolates to " + " and ".join(outside))
    return tuple(said)


def bound_memorisation(parameters: float, unique: float) -> float:
    """Return the most by which memorising can part train loss from val loss, nats a token.

    3.6 bits a parameter, spread over the unique tokens. Source: Morris et al. 2025.

    >>> round(bound_memorisation(40.56e6, 0.7e9), 2)
    0.14
    """
    return BITS_PER_PARAMETER * parameters * math.log(2) / unique


def weigh_capacity(parameters: float, unique: float) -> float:
    """Return how many times the unique tokens exceed what the model can memorise.

    Under 1 overfitting is plausible: of the datablations runs those at 0.7 and 1.0 turned upwards
    near 40 and 60 epochs, those at 1.7 and 3.3 not in 1,700. Source: Morris et al. 2025 for the
    bits of a parameter.

    >>> round(weigh_capacity(40.56e6, 0.7e9))
    25
    """
    return unique * BITS_PER_TOKEN / (BITS_PER_PARAMETER * parameters)
