"""Comparisons drawn from a stated model, to count how often the verdict is false or missed.

The loss of document j in run s of arm a, in nats a token, is

    base_j + effect_a + seed_as + change_aj + both_asj

with every term but the effect normal and independent: `base` is how hard the document is, in
every run alike; `seed` moves a whole run; `change` moves a document in all runs of an arm (0 if
both arms hold the same data); `both` is what a seed does to one document alone. Documents have
lognormal lengths.
"""

# S = seeds of an arm, J = documents

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.train.stats.decision_rule import Margins, is_decided, judge_all
from assay.train.stats.paired_difference import ALPHA, Losses
from assay.train.stats.power import foresee_detectable


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations of the model's terms, nats a token; `length_sd` is of log tokens."""

    seed_sd: float = 0.004
    change_sd: float = 0.0
    both_sd: float = 0.06
    base_sd: float = 0.65
    documents: int = 425
    tokens: float = 700.0
    length_sd: float = 1.0

    def detectable(self, seeds: int, alpha: float = ALPHA) -> float:
        """Return the smallest difference that a comparison would find 4 times in 5.

        Worked out from the model's own variances, with the documents' effective number.
        """
        spread = math.sqrt(2 * self.change_sd**2 + 2 * self.both_sd**2 / seeds)
        effective = self.documents / math.exp(self.length_sd**2)  # (E size)^2 / E size^2
        # Each run's loss holds its own share of `both`: seeds seem to differ by that much more.
        seed_sd = math.hypot(self.seed_sd, self.both_sd / math.sqrt(effective))
        return foresee_detectable(
            seed_sd, spread / math.sqrt(effective), seeds=seeds, documents=self.documents,
            alpha=alpha,
        )  # fmt: skip


def draw_losses(
    noise: Noise, generator: np.random.Generator, *, seeds: int, effects: Sequence[float]
) -> list[Losses]:
    """Draw a baseline and an arm for each effect; the losses of each beside the baseline's."""
    J = noise.documents
    tokens_J = np.ceil(noise.tokens * np.exp(generator.normal(0, noise.length_sd, J)))
    base_J = generator.normal(3.5, noise.base_sd, J)
    arms = [
        (
            base_J
            + effect
            + generator.normal(0, noise.seed_sd, (seeds, 1))
            + generator.normal(0, noise.change_sd, J)
            + generator.normal(0, noise.both_sd, (seeds, J))
        )
        * tokens_J
        for effect in (0.0, *effects)
    ]
    bytes_J = np.zeros(J)  # bits a byte would say the same again
    return [Losses(arms[0], arm, tokens_J, bytes_J) for arm in arms[1:]]


def count_verdicts(
    noise: Noise,
    *,
    comparisons: int,
    looks: Sequence[int] = (3,),
    effects: Sequence[float] = (0.0,),
    margins: Margins | None = None,
    bootstrap_rounds: int = 0,
    seed: int = 0,
) -> Counter[str]:
    """Draw comparisons and count the verdicts of each.

    With several looks a comparison ends at the first that decides, each look at its part of
    alpha. With several arms it counts as the most extreme of their verdicts: better or worse
    before all others.

    Args:
        noise: The model.
        comparisons: How many to draw.
        looks: Seeds an arm at each look, rising.
        effects: True difference of each arm to the baseline, nats a token; 0 for an A/A.
        margins: As `compare` takes them; here too small to matter unless given.
        bootstrap_rounds: 0: Student's interval alone, 100 times quicker.
        seed: Of the draws.
    """
    generator = np.random.default_rng(seed)
    margins = margins or Margins(delta=1e-9)
    found: Counter[str] = Counter()
    for number in range(comparisons):
        whole = draw_losses(noise, generator, seeds=max(looks), effects=effects)
        verdicts: list[str] = []
        for look in looks:
            first = [
                Losses(arm.nats_a_SJ[:look], arm.nats_b_SJ[:look], arm.tokens_J, arm.bytes_J)
                for arm in whole
            ]
            judged = judge_all(
                first,
                margins=margins,
                alpha=ALPHA / len(looks),
                rounds=bootstrap_rounds,
                seed=number,
            )
            verdicts = [each.verdict for each in judged]
            if is_decided(verdicts):
                break
        found[min(verdicts, key=_EXTREME.index)] += 1
    return found


_EXTREME = (
    *("worse", "better", "equivalent", "not worse", "no detectable difference"),
    *("inconclusive", "invalid"),
)


def fit_noise(nats: Sequence[np.ndarray], tokens_J: np.ndarray) -> Noise:
    """Fit the model to the runs of two arms on the same documents.

    Documents count by the square of their tokens, as they do in the variance of a loss. What
    cannot be told from nothing is 0.

    Args:
        nats: Of arm A and of arm B: (seeds, documents), two seeds or more each.
        tokens_J: Tokens of each document.
    """
    weight_J = tokens_J.astype(np.float64) ** 2
    weight_J /= weight_J.sum()
    rates = [nats_SJ / tokens_J for nats_SJ in nats]
    losses = [nats_SJ.sum(1) / tokens_J.sum() for nats_SJ in nats]
    within = [
        (rate_SJ - loss_S[:, None]).var(0, ddof=1) @ weight_J
        for rate_SJ, loss_S in zip(rates, losses, strict=True)
    ]
    both = float(np.mean(within))
    # sum(t^2) / sum(t)^2: what is left of a document's variance in the loss of all.
    left = float((tokens_J.astype(np.float64) ** 2).sum() / float(tokens_J.sum()) ** 2)
    seed = float(np.mean([loss_S.var(ddof=1) for loss_S in losses])) - both * left
    change_J = rates[1].mean(0) - rates[0].mean(0)
    change = float(((change_J - change_J @ weight_J) ** 2) @ weight_J)
    change -= sum(part / len(rate_SJ) for part, rate_SJ in zip(within, rates, strict=True))
    log_J = np.log(tokens_J)
    return Noise(
        seed_sd=math.sqrt(max(0.0, seed)),
        change_sd=math.sqrt(max(0.0, change) / 2),
        both_sd=math.sqrt(both),
        base_sd=float(rates[0].mean(0).std(ddof=1)),
        documents=tokens_J.size,
        tokens=float(np.exp(log_J.mean())),
        length_sd=float(log_J.std(ddof=1)),
    )
