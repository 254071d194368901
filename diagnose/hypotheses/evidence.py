"""Hypotheses, and what speaks for and against each: log-odds points, in sentences with numbers."""

from dataclasses import dataclass, field

from assay.laws.scaling import Range

LEVELS = ("certain", "likely", "possible", "unlikely", "refuted")
PRIOR = -1.0  # of each: about one in four


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact about this run, and by how much it shifts the log-odds of a hypothesis.

    `direct` facts show the cause itself (val loss that turned upwards); others only fit it.
    """

    points: float
    sentence: str
    direct: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """A cause that might hold the loss, weighed.

    Attributes:
        name: A few words.
        evidence: Facts for it (points over 0) and against it.
        missing: What would have to be known, and what tells it.
        experiment: What would decide.
        tokens: What that costs in tokens trained; None where it costs none, or is not known.
        gain: By how much the loss falls if it is the cause and is removed; None if not known.
        gain_source: Where that is from.
        most: The highest level that such evidence can give.
    """

    name: str
    evidence: list[Evidence] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    experiment: str = ""
    tokens: float | None = None
    gain: Range | None = None
    gain_source: str = ""
    most: str = "certain"

    @property
    def points(self) -> float:
        """Log-odds: a prior of -1, and all evidence added up."""
        return PRIOR + sum(fact.points for fact in self.evidence)

    @property
    def level(self) -> str:
        """One of LEVELS. Nothing is certain or refuted without direct evidence."""
        points = self.points
        proved = any(fact.direct and fact.points > 0 for fact in self.evidence)
        disproved = any(fact.direct and fact.points < 0 for fact in self.evidence)
        if points >= 4 and proved:
            level = "certain"
        elif points >= 1.5:
            level = "likely"
        elif points > -1.5:
            level = "possible"
        else:
            level = "refuted" if points <= -3.5 and disproved else "unlikely"
        return max(level, self.most, key=LEVELS.index)
