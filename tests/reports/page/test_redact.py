"""What looks like personal data or a secret does not reach a report."""

import re
import time

import pytest

from assay.reports.page.redact import redact, redact_label

PLANTED = {
    "[email]": ["ann.lee+x@mail.example.org", "a@b.co"],
    "[ip]": ["192.168.10.254", "2001:db8:85a3:0:0:8a2e:370:7334", "fe80::1ff:fe23:4567:890a"],
    "[phone]": ["+49 30 123 456 78", "(212) 555-0123", "555-867-5309", "0044 20 7946 0958"],
    "[card]": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "[iban]": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    "[key]": [
        "sk-proj-abcdefghijklmnop1234", "AKIAIOSFODNN7EXAMPLE", "hf_abcdefghijklmnopqrstuv",
        "ghp_0123456789abcdefghij0123456789", "xoxb-1234567890-abcdefghij",
    ],
    "[jwt]": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"],
}  # fmt: skip


CASES = [(kind, secret) for kind, group in PLANTED.items() for secret in group]


@pytest.mark.parametrize(("kind", "secret"), CASES)
@pytest.mark.parametrize("around", ["{}", "see {} now", "({})", "x: {}, y", '"{}"'])
def test_planted_secret_is_replaced_by_its_kind(kind: str, secret: str, around: str) -> None:
    hidden = redact(around.format(secret))

    assert secret not in hidden
    assert kind in hidden


def test_redacting_twice_changes_nothing_more() -> None:
    text = " and ".join(secret for group in PLANTED.values() for secret in group)

    once = redact(text)

    assert redact(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "1998 2003 2004 and 1,234,567 at 12:30:45 on 2024-05-06",
        "version 1.2.3, section 164.512, 12 U.S.C. 1701",
        "4111 1111 1111 1112 fails Luhn's check",
        "about 3.14159265358979 and 6.02214076",
        "0.7.1.300 is no address",
        "pages 2001-2005 of 300",
        "def f(x): return x::y",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def test_ids_keep_their_digits_but_not_their_emails() -> None:
    label = "<urn:uuid:12345678-1234-1234-1234-123456789012> ann@example.org"

    assert redact_label(label) == "<urn:uuid:12345678-1234-1234-1234-123456789012> [email]"


@pytest.mark.parametrize(
    "text", ["a@" * 100_000, "1 " * 200_000, "1.1." * 100_000, "eyJ" * 100_000, "+1 (" * 100_000,
             ":" * 200_000, "aA1_" * 100_000, "token " * 50_000, "DE89 3704" * 50_000]
)  # fmt: skip
def test_time_grows_with_length_alone(text: str) -> None:
    start = time.process_time()

    redact(text)

    assert time.process_time() - start < 5


def test_planted_secrets_cover_every_kind_that_redact_writes() -> None:
    hidden = redact(" and ".join(group[0] for group in PLANTED.values()))

    assert set(re.findall(r"\[\w+\]", hidden)) == set(PLANTED)
