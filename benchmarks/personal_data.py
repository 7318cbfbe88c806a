"""Personal data in ordinary typography: how much the patterns of `payload` find, and what they find in other text.

    python benchmarks/personal_data.py recall
    python benchmarks/personal_data.py false --sentences 10000
    python benchmarks/personal_data.py speed --texts 100000

`recall` plants made-up values, each in a carrier sentence, in several typographies; a value counts where its kind and
all of its characters are given back, or where its kind and any value are. `false` counts what is found in corpora
without personal data and in numbers of other kinds. To compare with another build, run the same file with its
`PYTHONPATH`.
"""

from __future__ import annotations

import argparse
import json
import random
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator

from faker import Faker

from workbench.audit._patterns import personal_data
from workbench.data import corpora

CARRIERS = ("{}", "Please write to {} today.", "It was {}.", "The entry ({}) is new", "See: {}, as agreed")
_COUNTED = ("n", "whole", "of the kind", "other kinds")
TYPOGRAPHIES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "U+00A0, U+2011": lambda value: value.replace(" ", "\u00a0").replace("-", "\u2011"),
    "U+202F, U+2010": lambda value: value.replace(" ", "\u202f").replace("-", "\u2010"),
    "en dash": lambda value: value.replace("-", "\u2013"),
    "hyphens for blanks": lambda value: value.replace(" ", "-"),
    "lower case": str.lower,
    "full width": lambda value: "".join(chr(ord(c) + 0xFEE0) if c in string.digits else c for c in value),
    "curly apostrophe, soft hyphen": lambda value: (
        value.replace("'", "\u2019") if "'" in value else value[:6] + "\u00ad" + value[6:]
    ),
}
ELSEWHERE = {  # typographies in which nobody writes a kind
    ("phone", "lower case"),
    ("phone", "hyphens for blanks"),
    ("e-mail", "hyphens for blanks"),
    ("e-mail", "full width"),
    ("IP address", "lower case"),
    ("IP address", "hyphens for blanks"),
    ("date of birth", "hyphens for blanks"),
}
HARD = {
    "version": "version {a}.{b}.{c}.{d}",
    "section": "see section {a}.{b}.{c}.{d}",
    "product": "Product/{a}.{b}.{c}.{d}",
    "order of ten digits": "order no. {ten}",
    "id of ten digits": "user id {ten}",
    "epoch seconds": "at {epoch}",
    "epoch milliseconds": "at {epoch}000",
    "DE and 20 digits": "DE{twenty}",
    "16 digits": "reference {ten}{six}",
    "years": "from 19{two}-20{two} or 19{two} 20{two}",
    "coordinates": "at 5{b}.{six}, 1{c}.{six}",
    "amount": "EUR 1{c} {three} {three} and $1,{three},{three},{three}.00",
    "ISBN": "ISBN 978-0-{three}-{five}-{a}",
    "hours": "open 08.30 - 12.45 and 1{c}.15-18.30",
    "C++ scope": "std::abs and a{a}::b{b}",
}


def planted(n: int, seed: int) -> Iterator[tuple[str, str]]:
    """Kind and value in the plain form, made up; check digits are right."""
    fake = {name: Faker(name) for name in ("en_US", "de_DE", "fr_FR", "en_GB")}
    chosen = random.Random(seed)
    for each in fake.values():
        each.seed_instance(seed)
    us, de, fr, gb = fake.values()
    for _ in range(n):
        local = f"{chosen.choice(('sean.o', 'd'))}'{us.last_name().lower()}"
        yield "e-mail", f"{local}@example.{chosen.choice(('com', 'co.uk'))}"
        yield "e-mail", f"{us.first_name().lower()}+{us.last_name().lower()}@mail.example.org"
        area, line = chosen.randint(201, 989), chosen.randint(1000, 9999)
        forms = ("({}) 555-{}", "{}-555-{}", "+1 {} 555 {}", "({}) 555-{} ext. 12")
        yield "phone", chosen.choice(forms).format(area, line)
        number = f"{chosen.randint(100, 9999)} {chosen.randint(100, 999)}"
        yield "phone", chosen.choice(("030/{}", "+49 (0)30 / {}", "+49 30 {}", "(089) {}")).format(number)
        iban = chosen.choice((de, fr, gb)).iban()
        yield "IBAN", " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))
        card = us.credit_card_number("visa16")
        yield "card number", " ".join(card[i : i + 4] for i in range(0, 16, 4))
        yield "social security number", us.ssn()
        yield "IP address", us.ipv4_public()
        yield "MAC address", us.mac_address()
        yield "date of birth", us.date_of_birth().strftime(chosen.choice(("%m/%d/%Y", "%B %d, %Y", "%Y-%m-%d")))


def recall(n: int, seed: int) -> None:
    """One row a kind and typography."""
    found: dict[tuple[str, str], Counter[str]] = {}
    chosen = random.Random(seed)
    for kind, value in planted(n, seed):
        carrier = chosen.choice(CARRIERS)
        if kind == "date of birth":
            carrier = chosen.choice(("born on {}", "Date of birth: {}.", "DOB {}"))
        for name, form in TYPOGRAPHIES.items():
            written = form(value)
            if (written == value and name != "plain") or (kind, name) in ELSEWHERE:
                continue
            told = list(personal_data(carrier.format(written)))
            row = found.setdefault((kind, name), Counter())
            kinds = {each for each, _ in told}
            row.update({"n": 1, "whole": (kind, written) in told, "of the kind": kind in kinds})
            row["other kinds"] += bool(kinds - {kind})
    for (kind, name), row in sorted(found.items()):
        print(json.dumps({"kind": kind, "typography": name, **{key: row[key] for key in _COUNTED}}))
    total = sum(found.values(), Counter())
    print(json.dumps({"kind": "all", **{key: total[key] for key in _COUNTED}}))


def false(sentences: int, seed: int) -> None:
    """One row a corpus, and one a kind of number that is no personal data."""
    for name in ("tatoeba", "cfpb", "wikitext-2"):
        texts = corpora.load(name).texts[:sentences]
        print(json.dumps({"corpus": name, "n": len(texts), **_texts_by_kind(texts)}))
    chosen = random.Random(seed)

    def digits(count: int) -> str:
        return "".join(chosen.choice(string.digits) for _ in range(count))

    for name, form in HARD.items():
        texts = [
            form.format(
                **dict(zip("abcd", (chosen.randint(1, 9) for _ in range(4)), strict=True)),
                **{
                    key: digits(count) for key, count in zip(("two", "three", "five", "six"), (2, 3, 5, 6), strict=True)
                },
                ten=str(chosen.randint(2, 9)) + digits(9),
                twenty=digits(20),
                epoch=chosen.randint(1_500_000_000, 1_800_000_000),
            )
            for _ in range(1000)
        ]
        print(json.dumps({"numbers": name, "n": len(texts), **_texts_by_kind(texts)}))


def _texts_by_kind(texts: list[str] | tuple[str, ...]) -> dict[str, int]:
    count: Counter[str] = Counter()
    for text in texts:
        kinds = {kind for kind, _ in personal_data(text)}
        count.update(kinds)
        count["any but dates"] += bool(kinds - {"date"})
    return dict(count)


def speed(texts: int) -> None:
    """Seconds for texts of the three corpora, in turn."""
    pools = [corpora.load(name).texts for name in ("tatoeba", "cfpb", "wikitext-2")]
    chosen = [pool[row % len(pool)] for row in range(texts // 3 + 1) for pool in pools][:texts]
    began = time.process_time()
    for text in chosen:
        for _ in personal_data(text):
            pass
    print(json.dumps({"texts": texts, "characters": sum(map(len, chosen)), "seconds": time.process_time() - began}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("recall", "false", "speed"))
    parser.add_argument("--values", type=int, default=100)
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.what == "recall":
        recall(given.values, given.seed)
    elif given.what == "false":
        false(given.sentences, given.seed)
    else:
        speed(given.texts)
