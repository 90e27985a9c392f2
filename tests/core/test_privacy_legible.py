"""Personal data behind escapes and inside JSON: found as a person reads it, replaced so that JSON stays JSON."""

import json
import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.privacy.detector import detector
from tunesmith.core.privacy.legible import Legible
from tunesmith.core.privacy.masking import mask
from tunesmith.core.privacy.span import Span

RULES = PrivacyConfig().by_rules_alone()
STYLES = ("realistic", "tagged", "coded")
PERSON = {
    "name": "Jürgen Müller",
    "phone": 2125467187,
    "zip": 94107,
    "Mail": "j.mueller@posta.example",
}
ANSWERS = [
    json.dumps(PERSON),
    json.dumps([PERSON, {"customer": PERSON, "age": 47, "born": "1987-03-03"}], indent=2),
    json.dumps({"people": ["Ivana Horvat", "Petra Novak"], "call": [4915123456789, 385123456]}),
    json.dumps(
        {
            "note": 'Call Ivana "Iva" Horvat\n(212) 546-7187\tor C:\\new',
            "address": "Vukovarska 17, Split",
        }
    ),
    f"Here it is:\n```json\n{json.dumps(PERSON, indent=1)}\n```\nSigned, Ivana Horvat",
    "\n".join(json.dumps({"user": name, "ip": "83.139.12.5"}) for name in ("Ana Horvat", "Bo Li")),
]


def masked(text: str, config: PrivacyConfig = RULES) -> str:
    return mask([text], detector(config).find_in_conversations([[text]])[0], config)[0]


def values(text: str) -> list[object]:
    """All JSON of a text."""
    body = text.partition("```json\n")[2].partition("```")[0] or text
    try:
        return [json.loads(body)]
    except ValueError:
        return [json.loads(line) for line in body.splitlines()]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_json_stays_json_with_the_same_keys_and_nothing_raw(answer, style):
    made = masked(answer, RULES.model_copy(update={"style": style}))

    assert [_keys(value) for value in values(made)] == [_keys(value) for value in values(answer)]
    raw = [
        "Müller",
        "fcller",
        "Horvat",
        "Novak",
        "5467187",
        "5123456",
        "posta",
        "Vukovarska",
        "83.139",
    ]
    assert [word for word in raw if word in made] == []


def _keys(value: object) -> object:
    if isinstance(value, dict):
        return {key: _keys(inner) for key, inner in value.items()}
    return [_keys(inner) for inner in value] if isinstance(value, list) else None


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (r'{"name": "J\u00fcrgen M\u00fcller"}', r"J\u00fcrgen M\u00fcller"),
        (r'"reply": "I am J\u00fcrgen M\u00fcller", cut off', r"J\u00fcrgen M\u00fcller"),
        (r"Name: Ivana Horvat\nPhone: none", "Ivana Horvat"),
        (r"I am Ivana Horvat\nof C:\new\reports\Ivana", "Ivana Horvat"),
        (r"She said \"I am Ivana Horvat\" twice", "Ivana Horvat"),
        ("<td>I am J&uuml;rgen M&#252;ller</td>", "J&uuml;rgen M&#252;ller"),
        ("I am Ju\u0308rgen Mu\u0308ller.", "Ju\u0308rgen Mu\u0308ller"),
        (r'{"name": "Ju\u0308rgen Mu\u0308ller"}', r"Ju\u0308rgen Mu\u0308ller"),
        ('{"Ivana Horvat": 3}', "Ivana Horvat"),
    ],
)
def test_names_are_found_behind_escapes_and_told_where_they_are_written(written, name):
    spans = detector(RULES).find([written])[0]

    assert [(written[span.start : span.end], span.type) for span in spans] == [(name, "PERSON")]
    assert name not in masked(written)


def test_keys_that_point_at_nobody_stay():
    opening = '{"Monday": "9 to 5", "Split": "closed", "2024-01-01": "closed"}'

    assert list(json.loads(masked(opening))) == ["Monday", "Split", "2024-01-01"]


def test_a_long_text_of_brackets_that_is_no_json_is_read_a_few_times_only():
    text = '[{"a": ' * 20_000 + '{"name": "Ivana'

    assert Legible(text).read == text


def test_time_grows_with_the_number_of_names_in_json_and_no_faster():
    text = json.dumps([{"name": "Ivana Horvat", "number": number} for number in range(40_000)])
    seen = Legible(text)
    read = [
        Span(match.start(), match.end(), "PERSON", 1) for match in re.finditer("Ivana Horvat", text)
    ]

    started = time.process_time()
    spans = seen.in_written(read)

    assert time.process_time() - started < 5
    assert spans == read


TEXTS = st.text(st.sampled_from('aé"\\/\n\tu0{}[]:, &;\u0301😀'), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


@given(JSON, st.booleans(), TEXTS, st.lists(st.integers(0, 60), max_size=8, unique=True))
def test_whatever_is_replaced_json_stays_json_and_the_rest_stays_itself(
    value, ascii_only, around, ends
):
    written = around + json.dumps([value], ensure_ascii=ascii_only)
    seen = Legible(written)
    places = sorted(end for end in ends if end <= len(seen.read))
    read = [Span(a, b, "PERSON", 1) for a, b in zip(places[::2], places[1::2], strict=False)]

    spans = seen.in_written(read)
    made = seen.replaced(spans, lambda kind, original: original)
    changed = seen.replaced(spans, lambda kind, original: '"<x>\\')

    assert Legible(made).read == seen.read
    assert all(one.end <= other.start for one, other in pairwise(spans))
    if not around:
        assert isinstance(json.loads(changed), list)
