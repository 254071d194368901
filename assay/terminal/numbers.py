"""Counts, shares and times as people read them."""


def count(value: int) -> str:
    """Format a count: exact, in groups of three.

    >>> count(9035582198)
    '9,035,582,198'
    """
    return f"{value:,}"


def number_of(value: int, noun: str) -> str:
    """Format a count with its noun, whose plural takes an s.

    >>> number_of(1, "shard"), number_of(2533, "document")
    ('1 shard', '2,533 documents')
    """
    return f"{count(value)} {noun}{'' if value == 1 else 's'}"


def round_count(number: float) -> str:
    """Write a large count in a few digits; a small one is written in full.

    >>> round_count(7_602_176_000), round_count(6e8), round_count(51_200)
    ('7.60B', '600M', '51,200')
    """
    if number >= 1e9:
        return f"{number / 1e9:.2f}B"
    return f"{number / 1e6:,.0f}M" if number >= 1e7 else f"{number:,.0f}"


def share(part: int, whole: int) -> str:
    """Format a share as a percentage, with the counts it is made of.

    >>> share(412, 53_248)
    '0.77% (412 of 53,248)'
    """
    percent = 100 * part / whole if whole else 0.0
    return f"{percent:.2f}% ({part:,} of {whole:,})"


def coarse_share(part: int, whole: int) -> str:
    """Format a share to 0.1%, and never all where a little is missing.

    >>> coarse_share(3, 4), coarse_share(20_477_130, 20_480_495), coarse_share(7, 7)
    ('75.0%', 'over 99.9%', '100.0%')
    """
    percent = 100 * part / max(1, whole)
    return "over 99.9%" if part < whole and percent >= 99.95 else f"{percent:.1f}%"


def duration(seconds: float) -> str:
    """Format a time.

    >>> duration(3840), duration(95), duration(4.26)
    ('1 h 04 min', '1 min 35 s', '4.3 s')
    """
    if seconds >= 3600:
        return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60:02d} min"
    if seconds >= 60:
        return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"
    return f"{seconds:.1f} s"
