"""Make steps rise: what a restarted run wrote twice, lines of several processes, shuffled rows."""

# N = measurements of one kind, in the order of the log

import numpy as np

from assay.terminal.numbers import number_of

# A resumed run goes back a few times; rows that go back more often are merely not in order: over
# 20 times in a long log, over a fifth of the rows in a short one.
_MIN_RETURNS, _MAX_RETURNS = 3, 20
_SHARE_OF_RETURNS, _SHARE_OF_FEW = 0.05, 0.2


def order_steps(
    step_N: np.ndarray, value_N: np.ndarray, ranks: int
) -> tuple[np.ndarray, np.ndarray, str, str]:
    """Make steps strictly rising; the last value of a step stands.

    Args:
        step_N: Steps in the order of the log.
        value_N: What was measured at each.
        ranks: Processes that say which they are: what they measured at a step is averaged, for
            each saw another part of the batch.

    Returns:
        Steps and values; what was done, "" for nothing; and how much of a `{kind}` it met.
    """
    if ranks > 1 and _is_by_rank(step_N, ranks):
        steps, place_N, number = np.unique(step_N, return_inverse=True, return_counts=True)
        mean_N = np.bincount(place_N, weights=value_N) / number
        return steps, mean_N, f"lines of {ranks} processes; equal steps averaged", "{kind}"
    back_N, size = np.flatnonzero(np.diff(step_N) < 0), step_N.size
    few = min(_MAX_RETURNS, _SHARE_OF_FEW * size)
    if back_N.size > max(_MIN_RETURNS, few, _SHARE_OF_RETURNS * size):
        order_N = np.argsort(step_N, kind="stable")
        kept_N = order_N[keep_last(step_N[order_N])]
        what = "steps are not in order; sorted, and the last value of a step kept"
        return (
            step_N[kept_N],
            value_N[kept_N],
            what,
            f"{{kind}} ({back_N.size:,} of {size:,} go back)",
        )
    kept_N = np.flatnonzero(keep_last(step_N))
    what = "steps are repeated (several processes?); the last value stands, older dropped"
    if back_N.size:
        first = int(back_N[0])
        what = (
            f"the log goes back {number_of(back_N.size, 'time')}, first from step "
            f"{step_N[first]:,} to {step_N[first + 1]:,} (a run resumed, or runs joined); "
            "what was written over is dropped"
        )
    elif kept_N.size == size:
        what = ""
    return step_N[kept_N], value_N[kept_N], what, f"{size - kept_N.size:,} {{kind}}"


def _is_by_rank(step_N: np.ndarray, ranks: int) -> bool:
    """Tell whether steps repeat as processes side by side make them, not as a resumed run does."""
    number = np.unique(step_N, return_counts=True)[1]
    return bool(np.median(number) == ranks == number.max())


def keep_last(step_N: np.ndarray) -> np.ndarray:
    """Mark the measurements that no later one goes back behind, or repeats: bool, (N,).

    A run resumed from step 900 wrote over all that an earlier part of the log says of 900 and
    after; so the steps marked rise strictly.
    """
    later_N = np.minimum.accumulate(step_N[::-1])[::-1]
    keep_N = np.ones(step_N.size, bool)
    keep_N[:-1] = step_N[:-1] < later_N[1:]
    return keep_N
