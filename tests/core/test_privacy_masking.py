"""Masking: one person keeps one stand-in, nothing raw remains, and stand-ins are known again."""

import re

import pytest

from tunesmith.core.privacy import invented
from tunesmith.core.privacy.checksums import iban, payment_card
from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.privacy.detector import detector
from tunesmith.core.privacy.masking import mask
from tunesmith.core.privacy.report import ReportWriter, findings, shape
from tunesmith.core.privacy.span import Span
from tunesmith.core.privacy.stand_ins import is_stand_in, stand_in

RULES = PrivacyConfig().by_rules_alone()
TALK = [
    "Hello, I am Ivana Horvat, born 3 March 1987. Mail ivana.horvat@posta.example, +385 1 234 5678.",
    "Thank you Ivana. Is Ms Horvat still at Vukovarska 17, Split? HORVAT is all I have.",
    "Card 4012 8888 8888 1881, IBAN HR12 1001 0051 8630 0016 0, from 83.139.12.5, aged 38.",
]
RAW = ["Ivana", "Horvat", "1987", "posta", "Vukovarska", "4012", "1001005", "83.139", "5678"]


def masked(texts: list[str], config: PrivacyConfig = RULES) -> list[str]:
    spans = detector(config).find_in_conversations([texts])[0]
    return mask(texts, spans, config)


@pytest.mark.parametrize("style", ["realistic", "tagged", "coded"])
def test_nothing_raw_remains_in_any_style(style):
    text = "\n".join(masked(TALK, RULES.model_copy(update={"style": style})))

    assert [word for word in RAW if word.casefold() in text.casefold()] == []


def test_one_person_keeps_one_stand_in_under_every_form_of_the_name():
    first, second, _ = masked(TALK)

    given, family = re.findall(r"I am (\w+) (\w+),", first)[0]
    assert f"Thank you {given}." in second
    assert f"Ms {family} " in second
    assert f"{family.upper()} is all" in second
    tagged = masked(TALK, RULES.model_copy(update={"style": "tagged"}))
    assert set(re.findall(r"<PERSON_\d+>", "".join(tagged))) == {"<PERSON_1>"}


def test_a_stand_in_depends_on_the_original_and_the_seed_alone():
    assert masked(["I am Ivana Horvat"]) == masked(["I am Ivana Horvat", "or not"])[:1]
    alone = masked(["Ivana Horvat called"])[0].removesuffix(" called")
    assert alone in masked(["so Petra Novak and Ivana Horvat met"])[0]
    other = RULES.model_copy(update={"seed": 1})
    assert masked(["I am Ivana Horvat"], other) != masked(["I am Ivana Horvat"])


@pytest.mark.parametrize(
    ("kind", "original"),
    [
        ("PHONE_NUMBER", "+385 1 234 5678"),
        ("CREDIT_CARD", "4012 8888 8888 1881"),
        ("IBAN_CODE", "HR12 1001 0051 8630 0016 0"),
        ("IBAN_CODE", "GB82WEST12345698765432"),
        ("EMAIL_ADDRESS", "a@b.example.org"),
        ("DOMAIN_NAME", "https://petra.example.net/me"),
        ("IP_ADDRESS", "83.139.12.5"),
        ("IP_ADDRESS", "fe80::1"),
        ("EMAIL_ADDRESS", "ANNA@POSTA.EXAMPLE"),
        ("ZIP_CODE", "94107"),
        ("ZIP_CODE", "SW1A 1AA"),
        ("ZIP_CODE", "10-234"),
        ("STREET_ADDRESS", "Vukovarska 17, 21000 Split"),
        ("STREET_ADDRESS", "Parker Road 17"),
        ("GPE", "Split"),
        ("GPE", "Hamburg"),
        ("ORGANIZATION", "Zentriq"),
        ("PHONE_NUMBER", "+49 12345"),
    ],
)
def test_stand_ins_are_known_again_and_are_never_the_original(kind, original):
    made = stand_in(0, kind, original)

    assert made
    assert made != original
    assert is_stand_in(kind, made)
    assert not is_stand_in(kind, original)


@pytest.mark.parametrize(
    ("kind", "original"),
    [("PERSON", name) for name in ("Anna Schmidt", "Emily Parker", "Emma", "Smith", "EMMA PARKER")]
    + [("US_SSN", "123-45-6789"), ("ID", "4711"), ("GPE", "Springdale"), ("ORGANIZATION", "Acme")],
)
def test_what_is_common_is_no_stand_in(kind, original):
    assert not is_stand_in(kind, original)


def test_names_are_invented_ones_that_stay_when_they_are_masked_again():
    names = [f"{given} {family}" for given in ("Anna", "Peter", "Li") for family in ("Lee", "Ek")]
    once = [masked([f"I am {name}."])[0] for name in names]

    assert all(is_stand_in("PERSON", text[5:-1]) for text in once)
    assert len(set(once)) == len(names)
    assert [masked([text])[0] for text in once] == once
    assert all(len(invented.names(kind)) > 500 for kind in invented.MADE_OF)


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Ana van Houten", "van"), ("von Berg", "von"), ("ben smith", ""), ("ben", "")],
)
def test_particles_stay_between_names_and_are_masked_where_they_are_names(name, kept):
    made = mask([name], [[Span(0, len(name), "PERSON", 1)]], RULES)[0]

    assert set(made.split()) & set(name.split()) == {*kept.split()}


def test_forms_of_address_stay_and_a_city_becomes_a_city():
    text = masked(["Professor Anna Schmidt from Hamburg, Germany, called."])[0]

    address, rest = text.split(" ", 1)
    assert address == "Professor"
    city, country = re.search(r" from (\w+), (\w+), called", rest).groups()
    assert is_stand_in("GPE", city)
    assert country in invented.names("countries")
    assert country != "Germany"


def test_numbers_keep_their_grouping_and_their_check_digits():
    card = stand_in(0, "CREDIT_CARD", "4012 8888 8888 1881") or ""
    account = stand_in(0, "IBAN_CODE", "HR12 1001 0051 8630 0016 0") or ""

    assert re.fullmatch(r"\d{4} \d{4} \d{4} \d{4}", card)
    assert payment_card(card)
    assert account.startswith("HR")
    assert iban(account)
    assert re.fullmatch(
        r"\+385 \d \d{3} \d{4}", stand_in(0, "PHONE_NUMBER", "+385 1 234 5678") or ""
    )
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d 07:00", stand_in(0, "DATE_TIME", "1978-07-13 07:00") or ""
    )


def test_a_report_tells_counts_and_shapes_and_no_letter_of_the_data():
    writer = ReportWriter("mask")
    spans = detector(RULES).find_in_conversations([TALK])[0]
    rows = [findings("user", text, found) for text, found in zip(TALK, spans, strict=True)]
    for row in [*rows, [], None]:
        writer.add("data/talk.jsonl", row)
    report = writer.report()

    assert (report.rows, report.looked_at, report.with_personal_data) == (5, 4, 3)
    assert report.found["data/talk.jsonl"]["user"]["PERSON"] == 4
    assert shape("Ivana Horvat 17") == "Xxxxx Xxxxxx 99"
    told = report.as_markdown() + report.model_dump_json()
    assert [word for word in RAW if word in told] == []
