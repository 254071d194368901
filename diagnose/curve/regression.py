"""Robust least squares for a law's four constants, under weak priors.

For a given exponent the law is linear in its floor, scale and gain, so the fit is a convex problem
for each of a grid of exponents (0.05 to 1.55, coarse and then fine about the best): no starting
values, and no optimiser.
"""

# N = evaluations, K = exponents tried

from dataclasses import dataclass

import numpy as np

_EXPONENTS = np.arange(0.15, 1.5, 0.1)
_NEARBY = np.arange(-0.1, 0.101, 0.025)
_STRETCHES = 10
_ROUNDS = 60
_STANDS = 1e-6  # a weight, from 0 to 1, that changes by less


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed before the curve is seen: centres, standard deviations, in nats.

    The first four are weak beliefs about the law's exponent and the gain of its whole decay.
    `misfit` is how far a law strays from a real curve, in about ten stretches each its own way:
    however dense a log, it counts for no more than ten such deviations. `forecast_error` is
    what a forecast errs beyond its fit.
    """

    exponent: float = 0.5
    exponent_sd: float = 0.15
    gain: float = 0.10
    gain_sd: float = 0.06
    misfit: float = 0.005
    forecast_error: float = 0.01


PRIORS = Priors()


class Regression:
    """A curve, what its law had done by each evaluation, and the priors: to be solved."""

    def __init__(
        self,
        spent_N: np.ndarray,
        annealed_N: np.ndarray,
        loss_N: np.ndarray,
        noise: float,
        priors: Priors,
    ) -> None:
        self.spent_N, self.annealed_N, self.loss_N = spent_N, annealed_N, loss_N
        self.priors = priors
        self.scale2 = noise**2 + priors.misfit**2
        repeats = max(1.0, loss_N.size / _STRETCHES)
        self.certainty = 1 / (noise**2 + priors.misfit**2 * repeats)

    def solve(self) -> tuple[float, tuple[float, float, float], np.ndarray, np.ndarray]:
        """Return exponent, (floor, scale, gain), residuals and weights of the evaluations."""
        roughly = _EXPONENTS[self._solve_for(_EXPONENTS)[0].argmin()]
        nearby_K = roughly + _NEARBY
        best = _refine(nearby_K, self._solve_for(nearby_K)[0])
        _, found_K3, residual_KN, weight_KN = self._solve_for(np.array([best]))
        floor, scale, gain = (float(value) for value in found_K3[0])
        return best, (floor, scale, gain), residual_KN[0], weight_KN[0]

    def _solve_for(
        self, exponent_K: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Reweight least squares until the weights stand; each exponent by itself."""
        power_KN = self.spent_N ** -exponent_K[:, None]
        columns_KN3 = np.stack(
            np.broadcast_arrays(np.ones(power_KN.shape), power_KN, -self.annealed_N), axis=-1
        )
        weight_KN = np.ones(power_KN.shape)
        for _ in range(_ROUNDS):
            found_K3 = self._solve_linear(columns_KN3, weight_KN)
            residual_KN = self.loss_N - (columns_KN3 @ found_K3[:, :, None])[:, :, 0]
            before_KN = weight_KN
            weight_KN = 1 / np.sqrt(1 + residual_KN**2 / self.scale2)
            if np.abs(weight_KN - before_KN).max() < _STANDS:
                break
        data_K = 2 * (1 / weight_KN - 1).sum(1) * self.scale2 * self.certainty
        prior_K = ((found_K3[:, 2] - self.priors.gain) / self.priors.gain_sd) ** 2
        prior_K += ((exponent_K - self.priors.exponent) / self.priors.exponent_sd) ** 2
        return data_K + prior_K, found_K3, residual_KN, weight_KN

    def _solve_linear(self, columns_KN3: np.ndarray, weight_KN: np.ndarray) -> np.ndarray:
        weighted_K3N = (columns_KN3 * (weight_KN * self.certainty)[:, :, None]).swapaxes(1, 2)
        square_K33 = weighted_K3N @ columns_KN3
        target_K3 = weighted_K3N @ self.loss_N
        square_K33[:, 2, 2] += self.priors.gain_sd**-2
        target_K3[:, 2] += self.priors.gain * self.priors.gain_sd**-2
        return np.linalg.solve(square_K33, target_K3[:, :, None])[:, :, 0]

    def find_covariance(self, slopes_N4: np.ndarray, weight_N: np.ndarray) -> np.ndarray:
        """Return the constants' covariance: the inverse curvature of the cost at its least."""
        weighted_N4 = slopes_N4 * (weight_N * self.certainty)[:, None]
        prior_4 = np.array([0.0, 0.0, self.priors.exponent_sd**-2, self.priors.gain_sd**-2])
        return np.asarray(np.linalg.inv(slopes_N4.T @ weighted_N4 + np.diag(prior_4)))


def differentiate(
    spent: np.ndarray, annealed: np.ndarray, scale: float, exponent: float
) -> np.ndarray:
    """Return how a loss moves with floor, scale, exponent and gain: shape (..., 4)."""
    power = spent**-exponent
    return np.stack([np.ones(power.shape), power, -scale * np.log(spent) * power, -annealed], -1)


def _refine(exponent_K: np.ndarray, cost_K: np.ndarray) -> float:
    """Return the least of the parabola through the grid's best exponent and its neighbours."""
    best = int(np.clip(cost_K.argmin(), 1, cost_K.size - 2))
    left, middle, right = cost_K[best - 1 : best + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(exponent_K[best] + np.clip(shift, -1, 1) * (exponent_K[1] - exponent_K[0]))
