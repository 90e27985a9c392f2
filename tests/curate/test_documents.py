"""Markdown and HTML pages: whole answers, each under its own question, and nothing passed over."""

import pytest

from curate.reading import read

NO_QUESTION = "no question: the heading does not end with a question mark"
NO_ANSWER = "no answer to the question"

HEADINGS = """# Guide

## How do I install it?
Pick your system.

### On *Linux*
Run `apt`.

### Is it safe?
Yes.

#### Details
Signed.

### On Windows
Run setup.

## How do I remove it?
### Linux
apt remove

## Imprint
### Who?
ACME
### Where
Berlin
"""


def test_an_answer_runs_to_the_next_heading_of_its_level_and_questions_below_it_stay_their_own(
    tmp_path,
):
    loaded = read(tmp_path / "a.md", HEADINGS)

    assert loaded.pairs == [
        (
            "How do I install it?",
            "Pick your system.\n\n### On *Linux*\n\nRun `apt`.\n\n### On Windows\n\nRun setup.",
        ),
        ("Is it safe?", "Yes.\n\n#### Details\n\nSigned."),
        ("How do I remove it?", "### Linux\n\napt remove"),
        ("Who?", "ACME"),
    ]
    assert loaded.reasons == [(25, NO_QUESTION)]


FAQ = """# What is ACME?
A shop.
## FAQ
Ask us.
### Payment
#### Cards
Visa.
##### Limits
None.
### Delivery
Two days.
#### Abroad
Ten.
## Imprint
Berlin
"""


def test_below_an_faq_a_heading_without_text_of_its_own_is_a_group(tmp_path):
    loaded = read(tmp_path / "a.md", FAQ)

    assert loaded.pairs == [
        ("What is ACME?", "A shop.\n\n## Imprint\n\nBerlin"),
        ("Cards", "Visa.\n\n##### Limits\n\nNone."),
        ("Delivery", "Two days.\n\n#### Abroad\n\nTen."),
    ]
    assert loaded.reasons == [(3, NO_QUESTION)]


MARKED = """# Help

Intro text.

Q: Which is right?
a) one
b) two
A: two **bold**

Q: Unanswered?

**Q: Bold?**

**A:** Yes, *bold*.

**Question 4.** Stars?
**Answer.** In the
sky.

# Other

q) Which?
A. one
B. two
a) one

Q: Letters?
A. one
B. two

tail
"""


def test_answers_are_marked_in_the_manner_of_their_questions_and_all_else_is_set_aside(tmp_path):
    loaded = read(tmp_path / "a.md", MARKED)

    assert loaded.pairs == [
        ("Which is right?\na) one\nb) two", "two **bold**"),
        ("Bold?", "Yes, *bold*."),
        ("Stars?", "In the\nsky."),
        ("Which?\nA. one\nB. two", "one"),
    ]
    assert loaded.reasons == [(10, NO_ANSWER), (1, NO_QUESTION), (27, NO_ANSWER)]
    assert [example.source for example in loaded.examples][:2] == ["a.md:5", "a.md:12"]


def test_marks_in_code_ask_nothing(tmp_path):
    loaded = read(tmp_path / "a.md", "## Why?\n```\nq: int\na: int\n```\nQ: x\nA: y\n")

    assert loaded.pairs == [("x", "y"), ("Why?", "```\nq: int\na: int\n```")]


@pytest.mark.parametrize("front", ["---\ntitle: FAQ\n---\n", "+++\ndate = 1\ntitle = 'FAQ'\n+++\n"])
def test_the_title_in_the_front_matter_is_the_title_of_the_page(tmp_path, front):
    loaded = read(tmp_path / "a.md", f"{front}\nWelcome.\n\n## Delivery\nTwo days.\n")

    assert loaded.pairs == [("Delivery", "Two days.")]
    line = front.count("\n") + 2
    assert loaded.reasons == [(1, NO_QUESTION)]
    assert loaded.examples[0].source == f"a.md:{line + 2}"


def test_a_title_that_asks_is_answered_by_the_page_and_a_text_between_rules_is_no_front_matter(
    tmp_path,
):
    asking = read(tmp_path / "a.md", '---\ntitle: "What is it?"\nlayout: page\n---\nA tool.\n')
    ruled = read(tmp_path / "b.md", "---\n\n## Why?\nText\n\n---\nmore\n")

    assert asking.pairs == [("What is it?", "A tool.")]
    assert ruled.pairs == [("Why?", "Text\n\n---\nmore")]


def test_links_of_headings_to_themselves_are_no_part_of_the_question(tmp_path):
    loaded = read(tmp_path / "a.md", "## Why? {#why}\nSo.\n\n## 为什么？\n因为。\n")

    assert loaded.pairs == [("Why?", "So."), ("为什么？", "因为。")]


def test_terms_share_definitions_and_those_without_one_are_set_aside(tmp_path):
    page = """<dl><dd>Lost</dd><dt>Pay?</dt><dd>By card.</dd><dd>Or later.</dd>
<div><dt>Where?</dt><dt>Which shop?</dt></div><dd>Berlin <dl><dt>Mitte</dt><dd>No 1</dd></dl></dd>
<dt>No answer?</dt></dl>"""

    loaded = read(tmp_path / "a.html", page)

    assert loaded.pairs == [
        ("Pay?", "By card.\n\nOr later."),
        ("Where?", "Berlin\nMitte\nNo 1"),
        ("Which shop?", "Berlin\nMitte\nNo 1"),
    ]
    assert loaded.reasons == [
        (1, "no question: no term stands above"),
        (3, "no answer: no definition stands below the term"),
    ]


WRAPPED = """<html><body><nav><h4>Menu?</h4>Home</nav><p>Welcome</p><main>
<div class="q"><h3>Is it <i>wrapped</i>?<a href="#q">¶</a></h3></div>
<div class="a"><div>Yes, <b>very</b>.</div><ul><li>Deep</li></ul></div>
<div><h3>Loose?</h3>Plain <b>text</b> too.<!-- no --><br>Next line.</div>
<h2><button>Open me?</button></h2><div>Opened.</div>
<button>Click?</button><div>Clicked.</div><button>Send</button>
<details><summary><h3>Inside?</h3></summary>\x0b<p>Hidden.</p><h4>More</h4><p>Text</p></details>
<details><summary>Billing</summary><h3>When?</h3><p>Monthly.</p></details>
</main><div>We bake cookies.</div><footer><h4>Contact?</h4>mail</footer></body></html>"""


def test_an_answer_in_html_is_the_text_up_to_the_next_heading_whatever_lies_between(tmp_path):
    loaded = read(tmp_path / "a.html", WRAPPED)

    assert loaded.pairs == [
        ("Inside?", "Hidden.\n\nMore\n\nText"),
        ("Is it wrapped?", "Yes, very.\n- Deep"),
        ("Loose?", "Plain text too.\nNext line."),
        ("Open me?", "Opened."),
        ("Click?", "Clicked.\nSend"),
        ("When?", "Monthly."),
    ]
    assert [row.row for row in loaded.rejected] == ["Welcome", "We bake cookies."]


@pytest.mark.parametrize(
    "page",
    [
        '[{"@type": "FAQPage", "mainEntity": [ASKED]}]',
        '{"@graph": [{"@type": "WebSite"}, {"@type": ["FAQPage"], "mainEntity": [ASKED]}]}',
        '{"@type": "FAQPage", "mainEntity": ASKED}',
        '{"@type": "WebPage", "mainEntity": {"@type": "FAQPage", "mainEntity": [ASKED]}}',
    ],
)
def test_faq_pages_of_schema_org_are_read_in_every_shape(tmp_path, page):
    asked = (
        '{"@type": "Question", "name": "A &amp; B?", "acceptedAnswer": [{"text": "<p>yes</p>"}]}'
    )
    script = f'<script type="application/ld+json">{page.replace("ASKED", asked)}</script>'

    loaded = read(tmp_path / "a.html", f"<html><body>{script}</body></html>")

    assert loaded.pairs == [("A & B?", "yes")]
    assert loaded.rejected == []


MICRODATA = """<html><body itemscope itemtype="https://schema.org/FAQPage"><h1>Help</h1>
<div itemscope itemprop="mainEntity" itemtype="https://schema.org/Question">
<h3 itemprop="name">Can I <b>pay</b>?</h3>
<div itemscope itemprop="acceptedAnswer" itemtype="https://schema.org/Answer">
<div itemprop="text"><p>By card.</p><dl><dt>Fee</dt><dd>None</dd></dl></div></div></div>
<details itemscope itemtype="http://schema.org/Question"><summary itemprop="name">When?</summary>
<div itemprop="acceptedAnswer" itemscope>Monthly.</div></details>
<div itemscope itemtype="https://schema.org/Question"><meta itemprop="name" content="Who?">
<p itemprop="suggestedAnswer">Me?</p></div>
<h2>Why?</h2><p>So.</p></body></html>"""


def test_questions_in_microdata_are_read_once_and_whole(tmp_path):
    loaded = read(tmp_path / "a.html", MICRODATA)

    assert loaded.pairs == [
        ("Can I pay?", "By card.\n\nFee\nNone"),
        ("When?", "Monthly."),
        ("Why?", "So."),
    ]
    assert loaded.reasons == [
        (8, "no answer: the question has no accepted answer with a text"),
    ]


def test_machine_readable_questions_without_an_answer_and_broken_ones_are_set_aside(tmp_path):
    page = """<script type="application/ld+json">[{"@type": "Question", "name": "Q?"}]</script>
<script type="application/ld+json">{"@type": "Question",}</script>
<script type="application/ld+json">{"@type": "Person",}</script>"""

    loaded = read(tmp_path / "a.html", f"<html><body>{page}</body></html>")

    first, second = loaded.reasons
    assert first == (1, "no answer: the question has no accepted answer with a text")
    assert second[1].startswith("schema.org data that is no JSON: ")
