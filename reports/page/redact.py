"""Hide personal data and secrets in samples: what looks like them, at the price of some false hits.

Patterns are linear: no nested repeats, every repeat bounded.
"""

import re
from collections.abc import Callable

_KEY_PREFIXES = (
    r"(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?",
    r"hf_",
    r"gh[pousr]_",
    r"github_pat_",
    r"glpat-",
    r"xox[abposr]-",
    r"AIza",
    r"ya29\.",
    r"npm_",
    r"pypi-",
)
_SEPARATOR = r"[ .()\-]{0,3}"

_EMAIL = re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}")
_JWT = re.compile(r"\beyJ[\w-]{6,2000}\.[\w-]{4,4000}(?:\.[\w-]{0,2000})?")
_KEY = re.compile(
    rf"(?<![A-Za-z0-9])(?:(?:{'|'.join(_KEY_PREFIXES)})[\w-]{{16,256}}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16})"
)
_BEARER = re.compile(
    r"(?i)\b(bearer|api[_-]?key|secret|token|password)(\s*[:=]?\s+|[:=])"
    r"[\"']?([\w./+~=-]{16,512})"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]?\d)")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]?\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{1,4}(?![\w:])")
_PHONE = re.compile(
    rf"(?<![\w.,/:-])(?:\+|00)?\(?\d{{1,4}}\)?(?:{_SEPARATOR}\d{{2,5}}){{2,5}}(?![\w/:-]|[.,]\d)"
)
# Dates, runs of years, and decimal fractions: digits that are no telephone number.
_NO_PHONE = re.compile(
    r"\d{4}[-.]\d{1,2}[-.]\d{1,2}|\d{1,2}[-.]\d{1,2}[-.]\d{4}"
    r"|(?:1[4-9]|20)\d\d(?:[ ./-]{1,3}(?:1[4-9]|20)\d\d)+|\d+\.\d+"
)


def redact(text: str) -> str:
    """Replace what looks like personal data or a secret by its kind in brackets.

    Emails, JWTs, API keys, IBANs (mod 97), card numbers (Luhn), IP addresses, phone numbers.
    Redacting twice changes nothing more.

    >>> redact("write to ann@example.org or call +49 30 123 456 78")
    'write to [email] or call [phone]'
    """
    text = redact_label(text)
    for pattern, test, name in (
        (_IBAN, _is_iban, "[iban]"),
        (_CARD, _is_card, "[card]"),
        (_IPV4, lambda found: all(int(part) <= 255 for part in found.split(".")), "[ip]"),
        # Times (12:30:45) have neither eight groups nor a double colon.
        (_IPV6, lambda found: "::" in found or found.count(":") == 7, "[ip]"),
        (_PHONE, _is_phone, "[phone]"),
    ):
        text = pattern.sub(_if(test, name), text)
    return text


def redact_label(text: str) -> str:
    """Replace emails, JWTs and keys alone: for ids, in which long numbers are names."""
    for pattern, name in (
        (_JWT, "[jwt]"),
        (_KEY, "[key]"),
        (_BEARER, r"\1\2[key]"),
        (_EMAIL, "[email]"),
    ):
        text = pattern.sub(name, text)
    return text


def _if(test: Callable[[str], bool], name: str) -> Callable[[re.Match[str]], str]:
    return lambda match: name if test(match.group()) else match.group()


def _is_card(text: str) -> bool:
    """Check by Luhn: from the right, every second digit doubled, the sum a multiple of ten."""
    digits = [int(char) for char in text if char.isdecimal()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Check by ISO 13616: the first four characters last, letters as 10 to 35, modulo 97 is 1."""
    packed = text.replace(" ", "")
    if not 15 <= len(packed) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in packed[4:] + packed[:4])) % 97 == 1


def _is_phone(text: str) -> bool:
    digits = sum(char.isdecimal() for char in text)
    marked = text.startswith(("+", "00", "(")) or any(char in " -().+" for char in text)
    return 8 <= digits <= 15 and marked and not _NO_PHONE.fullmatch(text)
