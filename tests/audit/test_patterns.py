"""Personal data in ordinary typography: what is found, to the letter, and what is not personal data."""

from __future__ import annotations

import random
import time

import phonenumbers
import pytest
from faker import Faker
from hypothesis import given
from hypothesis import strategies as st

from workbench.audit._bank_numbers import _LENGTHS
from workbench.audit._patterns import canonical, personal_data
from workbench.audit._typography import plain_text

FRAMES = ("{}", "So write to {} please.", "It is {}.", "({}),", "X: {}; and", "{}, or", "<{}>", "\n{}\n", "电话{}")
VALUES = {
    "phone": (
        "030/1234567",
        "+49 (0)30 / 12 34 56 7",
        "(212) 555-0143 ext. 12",
        "(212) 555-0143 x12",
        "212-555-0143x12",
        "2125550143",
        "212.555.0143",
        "+1-212-555-0143",
        "1-800-555-0143",
        "+49 30 901820",
        "0049 30 901820",
        "+4930901820",
        "06 12 34 56 78",
        "01.42.68.53.00",
        "020 7946 0018",
        "03-1234-5678",
        "(02) 9876 5432",
        "0171 1234567",
        "+44 7700 900123",
        "+91 98765 43210",
    ),
    "e-mail": (
        "sean.o'connor@example.com",
        "sean.o\u2019connor@example.com",
        "a+b.c@sub.example.co.uk",
        "bob@m\u00fcller.example",
        "user@xn--e1afmkfd.xn--p1ai",
        "bob@[192.168.0.1]",
        "name [at] example [dot] com",
        "name(at)example.com",
    ),
    "IBAN": (
        "DE89-3704-0044-0532-0130-00",
        "de89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB82 WEST 1234 5698 7654 32",
        "gb82 west 1234 5698 7654 32",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NO93 8601 1117 947",
        "MT84MALT011000012345MTLCAST001S",
    ),
    "card number": ("4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "3782 822463 10005"),
    "social security number": ("219-09-9999", "219 09 9999"),
    "IP address": ("192.168.0.12", "8.8.8.8", "2001:db8::8a2e:370:7334", "fe80::1", "::ffff:192.0.2.128"),
    "MAC address": ("00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", "00:11:22:33:44:55"),
    "date": ("2012-05-03", "05/03/2012", "31.12.1999", "March 5, 2012", "5. M\u00e4rz 2012", "3rd of May 2001"),
}
FORMS = {
    "U+00A0 and U+2011": {" ": "\u00a0", "-": "\u2011"},
    "U+202F and U+2010": {" ": "\u202f", "-": "\u2010"},
    "U+2009 and U+2013": {" ": "\u2009", "-": "\u2013"},
    "full-width digits": {str(digit): chr(0xFF10 + digit) for digit in range(10)},
    "Arabic-Indic digits": {str(digit): chr(0x660 + digit) for digit in range(10)},
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in VALUES.items() for value in values])
def test_a_value_is_found_whole_wherever_it_stands(kind, value):
    for frame in FRAMES:
        assert list(personal_data(frame.format(value))) == [(kind, value)], frame


@pytest.mark.parametrize("form", FORMS)
def test_typography_does_not_matter(form):
    change = str.maketrans(FORMS[form])
    for kind in ("phone", "IBAN", "card number", "social security number", "date"):
        for value in VALUES[kind]:
            written = value.translate(change)
            assert list(personal_data(f"It is {written}.")) == [(kind, written)]
            assert canonical(kind, written) == canonical(kind, value)


def test_one_value_in_several_typographies_is_counted_once():
    ways = ("DE89370400440532013000", "de89 3704 0044 0532 0130 00", "DE89-3704-0044-0532-0130-00")
    assert len({canonical("IBAN", way) for way in ways}) == 1


def test_invisible_characters_are_left_out_and_given_back():
    assert list(personal_data("bob@exam\u00adple.com")) == [("e-mail", "bob@exam\u00adple.com")]
    assert list(personal_data("\u202a+49 30\u200b 901820\u202c")) == [("phone", "+49 30\u200b 901820")]


@given(st.text(max_size=80))
def test_each_character_of_the_plain_text_has_its_place(text):
    plain, places = plain_text(text)
    assert len(plain) == len(text if places is None else places)
    for _, value in personal_data(text):
        assert value in text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("IBAN:DE89370400440532013000", [("IBAN", "DE89370400440532013000")]),
        ("IBANDE89370400440532013000", [("IBAN", "DE89370400440532013000")]),
        ("it is de89 3704 0044 0532 0130 00. Thanks", [("IBAN", "de89 3704 0044 0532 0130 00")]),
        ("pay to GB82 WEST 1234 5698 7654 32 PLEASE", [("IBAN", "GB82 WEST 1234 5698 7654 32")]),
        ("10.0.0.0/8", [("IP address", "10.0.0.0")]),
        ("192.168.0.1:8080", [("IP address", "192.168.0.1")]),
        ("[2001:db8::1]:443", [("IP address", "2001:db8::1")]),
        ("fe80::1%eth0", [("IP address", "fe80::1")]),
        ("mailto:bob@example.com", [("e-mail", "bob@example.com")]),
        ("'bob@example.com'", [("e-mail", "bob@example.com")]),
        ("to=bob@example.com&x", [("e-mail", "bob@example.com")]),
        ("a@example.com,b@example.com", [("e-mail", "a@example.com"), ("e-mail", "b@example.com")]),
        ("name at example dot com", [("e-mail", "name at example dot com")]),
        ("call 555-0143 now", [("phone", "555-0143")]),
        ("Tel. 912 345 678", [("phone", "912 345 678")]),
        ("Tel.030/1234567", [("phone", "030/1234567")]),
        ("phone no. 2125550143", [("phone", "2125550143")]),
        ("tel:+49-30-901820", [("phone", "+49-30-901820")]),
        ("Order 123, call 212-555-0143 or 212-555-0144.", [("phone", "212-555-0143"), ("phone", "212-555-0144")]),
        ("SSN 219099999", [("social security number", "219099999")]),
        ("MAC 00-11-22-33-44-55", [("MAC address", "00-11-22-33-44-55")]),
        ("born on March 5, 1985", [("date of birth", "March 5, 1985")]),
        ("DOB: 12/05/85", [("date of birth", "12/05/85")]),
        ("geb. 12.05.1990", [("date of birth", "12.05.1990")]),
        ("She was born in 1980. On 12 May 2010 she left", [("date", "12 May 2010")]),
        ("2012-05-03T12:30:00Z", [("date", "2012-05-03")]),
    ],
)
def test_values_in_their_context(text, found):
    assert sorted(personal_data(text)) == sorted(found)


@pytest.mark.parametrize(
    "text",
    [
        "version 12.5.3.1",
        "v1.2.3.4",
        "see Section 1.2.3.4 and 1.2.3.5",
        "Chrome/12.0.742.112",
        "1.2.3.4 Scope of work",
        "999.300.1.2",
        "std::abs a::b abc::def",
        "12:30:45",
        "ff:ff:ff:ff:ff:ff",
        "GB82 WEST 1234 5698 7654 33",
        "DE12 3456 7890 1234 5678 90",
        "order no. 2125550143",
        "id=2125550143",
        "ids: 2125550143, 3105551234, 4155552671",
        "2125550143 bytes",
        "timestamp 1700000000",
        "1700000000000",
        "part 302-456-7890",
        "302-4567890-1234567",
        "52.5200 13.4050",
        "40.7128, -74.0060",
        "$1 234 567 890",
        "EUR 1.234.567.890",
        "1999/2000 2001/2002",
        "01/2019-03/2020",
        "08.30 - 12.45",
        "ISBN 978-0-306-40615-7",
        "550e8400-e29b-41d4-a716-446655440000",
        "32/13/2012 and 2012-13-45",
        "000-12-3456 and 219-00-9999",
        "meet at dot com",
    ],
)
def test_other_numbers_are_no_personal_data(text):
    assert not list(personal_data(text))


def test_ibans_are_those_with_valid_check_digits_and_no_others():
    """Checked by long division of the number that ISO 13616 defines, digit by digit."""

    def remainder(iban):
        value = 0
        for character in iban[4:] + iban[:4]:
            for digit in str(int(character, 36)):
                value = (10 * value + int(digit)) % 97
        return value

    chosen = random.Random(0)
    numbers = ["DE" + "".join(chosen.choices("0123456789", k=20)) for _ in range(3000)]
    valid = {number for number in numbers if remainder(number) == 1}
    assert 20 < len(valid) < 45
    for form in (str, str.lower, lambda number: " ".join(number[i : i + 4] for i in range(0, 22, 4))):
        assert {number for number in numbers if list(personal_data(form(number)))} == valid
        assert {number for number in numbers if ("IBAN", form(number)) in set(personal_data(form(number)))} == valid


@pytest.mark.parametrize("locale", ["de_DE", "en_GB", "es_ES", "fr_FR", "it_IT", "nl_NL", "no_NO", "pl_PL", "pt_PT"])
def test_ibans_of_other_countries(locale):
    fake = Faker(locale)
    fake.seed_instance(0)
    for _ in range(50):
        iban = fake.iban()
        assert len(iban) == _LENGTHS[iban[:2]]
        assert list(personal_data(iban)) == [("IBAN", iban)]
        assert not list(personal_data(iban + "7")), "longer than its country's"


@pytest.mark.parametrize("locale", ["de_DE", "en_GB", "en_US", "es_ES", "fr_FR", "ja_JP", "nl_NL"])
def test_telephone_numbers_of_countries_after_a_word_for_them(locale):
    fake = Faker(locale)
    fake.seed_instance(0)
    numbers = [fake.phone_number() for _ in range(200)]
    found = sum(list(personal_data(f"Call me at {number} please")) == [("phone", number)] for number in numbers)
    assert found >= 0.97 * len(numbers)


def test_ten_bare_digits_are_a_telephone_number_where_the_plan_has_them():
    chosen = random.Random(0)
    numbers = [f"{chosen.randrange(10**10):010}" for _ in range(1000)]
    planned = {
        number
        for number in numbers
        if number[0] not in "01" and phonenumbers.is_valid_number(phonenumbers.parse(number, "US"))
    }
    assert {number for number in numbers if list(personal_data(number))} == planned
    assert not [number for number in numbers if list(personal_data(number, "order_id"))]


def test_example_numbers_of_all_countries_are_found():
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number(region)
        written = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        assert list(personal_data(f"It is {written}.")) == [("phone", written)], region


@pytest.mark.parametrize(
    "text", ["1 " * 20_000, "0" * 40_000, "a@" * 20_000, "a.b-" * 10_000, "+1 (" * 10_000, "::" * 9999]
)
def test_no_text_takes_long(text):
    began = time.process_time()
    list(personal_data(text))
    assert time.process_time() - began < 3
