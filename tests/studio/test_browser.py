"""A review from the first key to the next dataset version, in a real browser."""

import json
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from conftest import example, save_dataset
from studio.servers import studio
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.review import ReviewLog
from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.stage import run

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CONFIG = CurateConfig(golden="golden.jsonl", validation_share=0, workers=1)
REACH = "Math.max(0, ...[...document.querySelectorAll('.actions *')].map(e => e.getBoundingClientRect().right))"
"""How far to the right the buttons go; the bar is fixed, so nobody could scroll to them."""
LONG = "please move my appointment from Tuesday the third to Friday the sixth of this month"
ROWS = (
    ("Do you repair e-bikes?", "Yes, all brands."),
    ("do you repair e-bikes", "No, only bikes without a motor."),
    (LONG, "Done, see you on Friday."),
    (LONG.replace("third", "tenth"), "Done, see you on Friday."),
    ("How long is an inspection?", "Two working days."),
    ("Where can I park?", "Behind the shop."),
    ("Can I return a helmet?", "Within thirty days."),
    ("Do you rent cargo bikes?", "Two of them, reserve early."),
    ("do you rent cargo bikes", "two of them, reserve early"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium: install it (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def shop(workspace) -> Workspace:
    rows = [{"prompt": question, "completion": answer} for question, answer in ROWS]
    (workspace.root / "data").mkdir()
    for name, part in (("mails", rows[:4]), ("chats", rows[4:])):
        (workspace.root / f"data/{name}.jsonl").write_text("\n".join(map(json.dumps, part)))
    (workspace.root / "golden.jsonl").write_text(json.dumps({"prompt": "z", "expected": "z"}))
    run(CONFIG, workspace)
    return workspace


def press(page: Page, *keys: str) -> None:
    """Press keys; the last one leads to another page."""
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])


def answer_of(page: Page) -> str:
    return page.locator(".turn.answer .text").first.inner_text()


def choose(page: Page, name: str, value: str) -> None:
    with page.expect_navigation():
        page.locator(f"select[name={name}]").select_option(value)


def review_alone(page: Page) -> dict[str, str]:
    """Accept, edit, reject, undo and reject again, by keyboard; returns the answers by verdict."""
    expect(page.locator(".reasons")).to_contain_text("contradiction")
    expect(page.get_by_role("heading", level=1)).to_have_text("Row 1 of 8")
    expect(page.get_by_role("status")).to_have_text("Row 1 of 8")
    answers = {"accept": answer_of(page)}
    press(page, "a")

    answers["edit"] = answer_of(page)
    page.keyboard.press("e")
    editor = page.locator("textarea[name=answer]")
    expect(editor).to_be_focused()
    expect(editor).to_have_value(answers["edit"])
    page.keyboard.press("Escape")
    expect(editor).to_be_hidden()
    page.keyboard.press("e")
    editor.fill("All brands,\nbatteries excepted: ask & see.")
    press(page, "Control+Enter")

    expect(page.locator(".near ins").first).to_be_visible()
    expect(page.locator(".near del").first).to_be_visible()
    answers["reject"] = answer_of(page)
    row = page.url
    page.keyboard.press("n")
    page.keyboard.type("are both right? a, e, r are letters here")
    press(page, "Escape", "r")
    assert page.url != row
    press(page, "u")
    assert page.url == row
    expect(page.locator(".opinions")).not_to_contain_text("rejected")
    press(page, "r")
    expect(page.locator("aside")).to_contain_text("3 of 8 reviewed")
    return answers


def sample(page: Page) -> None:
    """Review the rest at random, until every row is, and bring a removed row back."""
    choose(page, "order", "random")
    press(page, "a")
    expect(page.locator("#sample")).to_contain_text("of this version is bad, with 95 % confidence")
    for _ in range(4):
        press(page, "a")
    expect(page.locator("#sample")).to_contain_text("Every row of this version is reviewed: 2 of 8")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Nothing is waiting")

    choose(page, "split", "removed")
    expect(page.locator(".reasons")).to_contain_text(
        "duplicate says the same as data/chats.jsonl:4"
    )
    expect(page.get_by_role("button", name="Bring back")).to_be_visible()
    press(page, "a")


def review_again(page: Page, keys: dict[str, str]) -> None:
    """Ben, in a browser of his own, agrees on two rows and not on the third."""
    page.locator(".who summary").click()
    page.get_by_label("Who decides in this browser?").press("Escape")
    expect(page.locator(".who form")).to_be_hidden()
    expect(page.locator(".who summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("Who decides in this browser?").fill("ben")
    with page.expect_navigation():
        page.get_by_role("button", name="Decide in this name").click()
    for verdict, key in keys.items():
        page.goto(f"{page.url.partition('?')[0]}?key={key}")
        expect(page.locator(".opinions")).to_contain_text("1 other reviewer has decided")
        press(page, "r" if verdict == "reject" else "a")

    # Equal verdicts: 2/3. By chance: accepted 1/3 * 2/3, edited 1/3 * 0, rejected 1/3 * 1/3; together 1/3.
    expect(page.locator("#agreement")).to_contain_text("κ 0.50")
    expect(page.locator("#agreement")).to_contain_text("Krippendorff")
    choose(page, "show", "disagreed")
    expect(page.locator(".about")).to_contain_text("of 8")
    expect(page.locator(".opinions")).to_contain_text("edited by ana")
    choose(page, "show", "all")
    choose(page, "source", "data/chats.jsonl")
    expect(page.locator(".about")).to_contain_text("1 of 4")


def test_a_review_by_two_people_becomes_the_next_dataset_version(browser, shop):
    log = ReviewLog(shop)
    with studio(shop) as url:
        page = browser.new_page()
        page.goto(url)
        # Until the page is loaded, nothing listens to keys.
        with page.expect_navigation():
            page.get_by_role("link", name="Begin").click()
        answers = review_alone(page)
        keys = {one.verdict: one.example_key for one in log.by_reviewer().values()}
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_contain_text("accept: keep the row as it is")
        press(page, "Escape", "ArrowRight")
        press(page, "ArrowLeft")
        sample(page)
        other = browser.new_context().new_page()
        other.goto(f"{url}/review")
        review_again(other, keys)
    hers = [one.verdict for one in log.decisions() if one.reviewer == "ana"]
    assert hers == ["accept", "edit", "reject", "undo", "reject", *["accept"] * 6]
    assert all(one.seconds is not None for one in log.decisions() if one.verdict != "undo")

    # Ben's word is the later one, but he has not seen the edit; Ana insists.
    with studio(shop) as url:
        page = browser.new_page()
        page.goto(f"{url}/review?key={keys['edit']}")
        page.keyboard.press("e")
        press(page, "Control+Enter")
    made = run(CONFIG, shop).dataset

    learnt = {row.answer for row in made.examples(shop, "train")}
    assert "All brands,\nbatteries excepted: ask & see." in learnt
    assert answers["accept"] in learnt
    assert answers["edit"] not in learnt
    assert made.removed == {"review": 1}
    assert made.train_count == 8


def test_enter_in_the_note_never_accepts_and_saves_an_open_edit(browser, shop):
    log = ReviewLog(shop)
    with studio(shop) as url:
        page = browser.new_page()
        page.goto(f"{url}/review")
        note, editor = page.locator("input[name=note]"), page.locator("textarea[name=answer]")
        page.keyboard.press("n")
        page.keyboard.type("too short")
        page.keyboard.press("Enter")
        expect(note).not_to_be_focused()
        assert log.decisions() == []

        page.keyboard.press("e")
        editor.fill("Yes, and batteries.")
        note.focus()
        press(page, "Enter")
        page.keyboard.press("e")
        editor.fill("Another answer.")
        note.focus()
        press(page, "Control+Enter")

        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(f"{url}/review")
        plain.locator("input[name=note]").press("Enter")
        plain.wait_for_timeout(200)
    kept = [(one.verdict, one.answer, one.note) for one in log.decisions()]
    assert kept == [("edit", "Yes, and batteries.", "too short"), ("edit", "Another answer.", "")]


def test_an_empty_edit_stays_on_the_page_and_says_what_to_do(browser, shop):
    with studio(shop) as url:
        page = browser.new_page()
        page.goto(f"{url}/review")
        editor = page.locator("textarea[name=answer]")
        page.keyboard.press("e")
        editor.fill("  ")
        page.keyboard.press("Control+Enter")
        page.wait_for_timeout(200)
        expect(editor).to_be_visible()
        message = editor.evaluate("element => element.validationMessage")
        assert message == "Write an answer, or reject the row."
        page.keyboard.press("Escape")
        press(page, "r")
    assert [one.verdict for one in ReviewLog(shop).decisions()] == ["reject"]


def test_an_open_edit_is_not_lost_without_a_question(browser, shop):
    log = ReviewLog(shop)
    asked: list[str] = []
    with studio(shop) as url:
        page = browser.new_page()
        page.goto(f"{url}/review")
        press(page, "a")
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        editor, filters = page.locator("textarea[name=answer]"), page.locator("select[name=order]")
        page.keyboard.press("e")
        editor.fill("Half an ans")
        page.get_by_role("button", name="Undo").click()
        filters.select_option("random")
        page.get_by_role("link", name="next row").click()
        page.wait_for_timeout(300)
        expect(editor).to_have_value("Half an ans")
        expect(filters).to_have_value("suspicion")
        assert asked == ["beforeunload"] * 3
        assert len(log.decisions()) == 1

        page.keyboard.press("Escape")
        page.keyboard.press("e")
        expect(editor).not_to_have_value("Half an ans")
        editor.fill("A whole answer.")
        press(page, "Control+Enter")
        press(page, "u")
    assert asked == ["beforeunload"] * 3
    assert [one.verdict for one in log.decisions()] == ["accept", "edit", "undo"]


def test_what_was_written_is_there_again_after_an_undo(browser, shop):
    with studio(shop) as url:
        page = browser.new_page()
        page.goto(f"{url}/review")
        shown = answer_of(page)
        page.locator("input[name=note]").fill("batteries are dangerous")
        page.keyboard.press("Escape")
        page.keyboard.press("e")
        page.locator("textarea[name=answer]").fill("Yes, and batteries.")
        press(page, "Control+Enter")
        press(page, "u")

        assert answer_of(page) == shown
        expect(page.locator("input[name=note]")).to_have_value("batteries are dangerous")
        page.keyboard.press("e")
        expect(page.locator("textarea[name=answer]")).to_have_value("Yes, and batteries.")
        press(page, "Control+Enter")
    last = ReviewLog(shop).decisions()[-1]
    assert (last.answer, last.note) == ("Yes, and batteries.", "batteries are dangerous")


def test_whoever_settles_can_take_the_answer_of_another_reviewer(browser, shop):
    log = ReviewLog(shop)
    with studio(shop) as url:
        for reviewer, written in (("ben", "\nAll, and\n batteries."), ("eve", 'None, "sorry".')):
            context = browser.new_context()
            context.add_cookies([{"name": "reviewer", "value": reviewer, "url": url}])
            page = context.new_page()
            page.goto(f"{url}/review")
            page.keyboard.press("e")
            page.locator("textarea[name=answer]").fill(written)
            press(page, "Control+Enter")
        page = browser.new_page()
        page.goto(f"{url}/review?show=disagreed")
        expect(page.get_by_role("button", name="Accept the original")).to_be_visible()
        take = page.get_by_role("button", name="Take this answer")
        expect(take).to_have_count(2)
        page.get_by_role("textbox", name="why").fill("asked the shop")
        take.nth(1).focus()
        press(page, "Enter")
        page.goto(f"{url}/review?show=disagreed")
        press(page, "t")
    settled = [(one.verdict, one.answer, one.note) for one in log.decisions()][2:]
    assert settled == [
        ("edit", 'None, "sorry".', "asked the shop"),
        ("edit", "\nAll, and\n batteries.", "asked the shop"),
    ]
    assert all(one.seconds is not None for one in log.decisions())


def test_code_is_set_as_code_and_a_long_answer_is_folded_without_losing_a_letter(
    browser, workspace
):
    long = "Run:\n\n```sh\n" + f"echo {'wide ' * 60}\n" * 20 + "```\nThat is all."
    save_dataset(workspace, [("a", long), ("b", '{"refund": [1, 2]}'), ("c", "Plain words.")])
    with studio(workspace) as url:
        page = browser.new_page(viewport={"width": 390, "height": 800})

        def open_row(*row: str) -> None:
            page.goto(f"{url}/review?key={example(*row).key}")

        def font(selector: str) -> str:
            return page.evaluate(
                f"getComputedStyle(document.querySelector('{selector}')).fontFamily"
            )

        open_row("a", long)
        shown = page.locator(".turn.answer .text")
        assert shown.text_content() == long
        folded = shown.bounding_box()["height"]
        page.get_by_text("Show all 6,").click()
        expect(page.get_by_text("Show less")).to_be_visible()
        assert shown.bounding_box()["height"] > folded
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert "monospace" in font(".turn.answer pre")
        page.locator("pre").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("e")
        assert "monospace" in font("textarea")
        expect(page.locator(".turn.answer .fold")).to_be_hidden()
        open_row("b", '{"refund": [1, 2]}')
        assert "monospace" in font(".turn.answer .text")
        open_row("c", "Plain words.")
        assert "monospace" not in font(".turn.answer .text") + font("textarea")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_in_light_and_dark(browser, shop, scheme):
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, color_scheme=scheme, is_mobile=True
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    with studio(shop, reviewer="a reviewer with a very long name indeed") as url:
        for path in ("/", "/review", "/datasets/nothing", f"/datasets/{Dataset.ids(shop)[-1]}"):
            page.goto(f"{url}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") == 360, path
            assert page.evaluate(REACH) <= 360, path
            colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert colour == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(13, 17, 23)")
    assert [text for text in problems if "404" not in text] == []
