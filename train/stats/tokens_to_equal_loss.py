"""With what share of the tokens the better arm reaches the other's loss."""

from collections.abc import Sequence

from assay.formats.comparison import EqualLoss

Curve = list[tuple[int, float]]  # tokens seen and held-out loss, rising in tokens


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Return the mean held-out loss of several runs, where all of them were scored."""
    found = [dict(curve) for curve in curves]
    common = sorted(set.intersection(*(set(each) for each in found))) if found else []
    return [(at, sum(each[at] for each in found) / len(found)) for at in common]


def find_equal_loss(
    difference: float,
    interval: tuple[float, float],
    names: tuple[str, str],
    curves: tuple[Curve, Curve],
) -> EqualLoss:
    """Find where the lower arm's own curve passes the other's final loss.

    The curve belongs to the schedule that it was trained with: before its cooldown the loss is
    higher than that of a run which ended there, so the share errs on the high side.

    Args:
        difference: Arm minus baseline at the end, nats a token.
        interval: Of the difference.
        names: Of the arm and of the baseline.
        curves: Of both, as `mean_curve` gives them; the last point of each is the final loss.
    """
    low, high = interval
    if low <= 0 <= high:
        return EqualLoss(reason="the difference's interval holds 0")
    name, curve = (names[0], curves[0]) if difference < 0 else (names[1], curves[1])
    if len(curve) < 3:
        return EqualLoss(
            reason=f"{max(0, len(curve) - 1)} held-out losses were logged on the way; set an "
            "evaluation interval"
        )
    last, end = curve[-1]
    gaps = sorted((abs(low), abs(high)))
    points = [_cross(curve, end + gap) for gap in (abs(difference), *gaps)]
    if points[0] is None:
        return EqualLoss(reason=f"{name} was below that loss from its first held-out loss on")
    first = curve[0][0]
    share, *ends = [(first if point is None else point) / last for point in points]
    return EqualLoss(arm=name, share=share, interval=(min(ends), max(ends)))


def _cross(curve: Curve, level: float) -> float | None:
    """Return the tokens from which on a curve stays below a level; None if it always was."""
    above = [place for place, (_, loss) in enumerate(curve) if loss > level]
    if not above:
        return None
    place = above[-1]
    if place + 1 == len(curve):
        return float(curve[-1][0])
    (left, high), (right, low) = curve[place], curve[place + 1]
    return left + (right - left) * (high - level) / (high - low)
