"""The studio over HTTP: what it refuses, what it escapes, what it keeps."""

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import httpx2
import pytest

from conftest import example, save_dataset
from release.lineages import adapter_of, report_of
from studio.servers import studio
from tunesmith.artifacts.artifact import write_lines
from tunesmith.artifacts.dataset import RemovedRow
from tunesmith.artifacts.review import ReviewLog
from tunesmith.artifacts.suspicion import Neighbour, Reason, Suspicion, write_suspicions

WEB = httpx2.Client(timeout=60)
"""Waits longer than the usual five seconds: a busy machine is no failure of the studio."""
EVIL = "<script>document.title='owned'</script>"


@pytest.fixture(scope="module", autouse=True)
def _connections_are_closed():
    yield
    WEB.close()


@pytest.fixture
def dataset(workspace):
    return save_dataset(workspace, [("a", "one"), ("b", f"{EVIL}two"), ("c", "\nthree")])


@pytest.fixture
def url(workspace, dataset):
    with studio(workspace) as address:
        yield address


def decide(url: str, key: str, verdict: str, origin: str | None = "own", **fields: str):
    headers = {"origin": url if origin == "own" else origin} if origin else {}
    return WEB.post(
        f"{url}/review/decide?key={key}", data={"verdict": verdict, **fields}, headers=headers
    )


@pytest.mark.parametrize("origin", ["http://evil.example", "null", None])
def test_only_our_own_pages_can_decide(url, workspace, origin):
    refused = decide(url, example("a", "one").key, "reject", origin)

    assert refused.status_code == 403
    assert "open http://127.0.0.1" in refused.text.lower()
    assert ReviewLog(workspace).decisions() == []


def test_foreign_host_names_unknown_pages_and_names_have_their_status(url):
    assert WEB.get(url, headers={"host": "evil.example"}).status_code == 400
    assert WEB.get(f"{url}/nowhere").status_code == 404
    unknown = WEB.get(f"{url}/datasets/ds_0")
    assert unknown.status_code == 404
    assert "No artifact in datasets is called" in unescape(unknown.text)
    assert WEB.get(f"{url}/review?order=best").status_code == 400
    assert decide(url, "0" * 64, "accept").status_code == 400
    too_large = decide(url, example("a", "one").key, "edit", answer="x" * 2_000_000)
    assert too_large.status_code == 413


def test_a_workspace_without_a_dataset_says_what_to_run(workspace):
    with studio(workspace) as url:
        assert "tunesmith curate" in WEB.get(url).text
        answer = WEB.get(f"{url}/review")

    assert answer.status_code == 409
    assert "Run `tunesmith curate` first" in answer.text


def test_texts_of_the_data_are_escaped_and_no_foreign_script_may_run(url):
    page = WEB.get(f"{url}/review?key={example('b', f'{EVIL}two').key}")

    assert EVIL not in page.text
    assert EVIL in unescape(page.text)
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_an_edit_keeps_the_answer_to_the_letter_and_none_is_made_of_an_unchanged_one(
    url, workspace
):
    first, third = example("a", "one"), example("c", "\nthree")
    shown = WEB.get(f"{url}/review?key={third.key}").text
    # A browser drops the first line break of a textarea, and ends lines with CR LF.
    seen = unescape(re.search(r"<textarea[^>]*>\n(.*)</textarea>", shown, re.DOTALL).group(1))

    decide(url, third.key, "edit", answer=seen.replace("\n", "\r\n"))
    decide(url, first.key, "edit", answer="uno\r\ndue", note="  in Italian ", seconds="2.5")
    refused = decide(url, first.key, "edit", answer=" ")

    log = ReviewLog(workspace).decisions()
    assert [(one.verdict, one.answer) for one in log] == [("accept", None), ("edit", "uno\ndue")]
    assert (log[1].reviewer, log[1].note, log[1].seconds) == ("ana", "in Italian", 2.5)
    assert refused.status_code == 400


def test_an_edit_without_an_answer_is_refused_with_a_way_back(url):
    key = example("a", "one").key

    refused = WEB.post(
        f"{url}/review/decide?order=random&key={key}",
        data={"verdict": "edit", "answer": " \n"},
        headers={"origin": url},
    )

    page = unescape(refused.text)
    assert "An edit needs an answer" in page
    assert "Write an answer, or reject the row" in page
    assert f'href="/review?order=random&key={key}">Back to the row' in page


def test_bringing_a_row_back_keeps_the_row_that_it_repeats_and_undo_takes_back_the_first_alone(
    workspace,
):
    kept, near = example("a", "one"), example("a", "one.")
    dataset = save_dataset(workspace, [("a", "one")])
    row = RemovedRow(
        key=near.key, rule="duplicate", reason="", score=1, witness_key=kept.key, example=near
    )
    dataset.removed_path(workspace).write_text(f"{row.model_dump_json()}\n")

    with studio(workspace) as url:
        decide(url, near.key, "accept")
        standing = ReviewLog(workspace).standing()
        WEB.post(f"{url}/review/undo", headers={"origin": url})

    assert {key: one.verdict for key, one in standing.items()} == {
        kept.key: "accept",
        near.key: "accept",
    }
    assert list(ReviewLog(workspace).standing()) == [kept.key]


def test_a_contradiction_stands_beside_the_answer_that_it_contradicts(workspace):
    one, other, like = example("a?", "Yes."), example("a", "No."), example("a!", "Yes!")
    dataset = save_dataset(workspace, [("a?", "Yes."), ("a", "No."), ("a!", "Yes!")])
    reason = Reason(rule="contradiction", score=0.8, text="answered differently")
    near = (Neighbour(key=other.key), Neighbour(key=like.key, similarity=0.9))
    write_suspicions(
        dataset, workspace, [Suspicion(key=one.key, reasons=(reason,), neighbours=near)]
    )

    with studio(workspace) as url:
        page = unescape(WEB.get(f"{url}/review?key={one.key}").text)

    first, second = page.split('<section class="near">')[1:]
    assert "<h2>compared with" in first
    assert "<del>Yes</del>" in first
    assert "<ins>No</ins>" in first
    assert "<h2>90 % alike" in second


def test_a_golden_case_is_shown_as_one_with_what_a_decision_does(workspace):
    dataset = save_dataset(workspace, [("a?", "Yes.")])
    case = example("who?", "I cannot help with that.")
    write_lines(dataset.golden_path(workspace), [case.model_dump(mode="json")])

    with studio(workspace) as url:
        page = WEB.get(f"{url}/review?split=golden").text

    assert "I cannot help with that." in page
    assert '<span class="tag">golden</span>' in page
    assert "models are judged by it" in page


def test_a_rule_whose_rows_are_all_left_out_says_how_many_and_where(workspace):
    dataset = save_dataset(workspace, [("a", "one")])
    rows = [
        RemovedRow(key=row.key, rule=rule, reason="", score=1, witness_key="", example=row)
        for rule, row in (
            ("secrets", example("b", "sk-1")),
            ("secrets", example("c", "sk-2")),
            ("refusal", example("d", "Sorry.")),
        )
    ]
    lines = [row.model_dump_json() for row in rows]
    dataset.removed_path(workspace).write_text("\n".join(lines))

    with studio(workspace) as url:
        two = unescape(WEB.get(f"{url}/review?rule=secrets").text)
        one = unescape(WEB.get(f"{url}/review?rule=refusal").text)
        decide(url, example("a", "one").key, "accept")
        done = unescape(WEB.get(f"{url}/review").text)

    assert "2 rows were left out by secrets" in two
    assert "&split=removed" in two
    assert "tunesmith curate" not in two
    assert "1 row was left out by refusal" in one
    assert "1 row is in this view" in done
    assert "tunesmith curate" in done


def test_going_back_in_the_browser_asks_the_studio_again(url):
    assert WEB.get(f"{url}/review").headers["cache-control"] == "no-store"
    assert WEB.get(f"{url}/static/studio.css").headers["cache-control"] == "no-cache"


def test_a_reviewer_is_a_browser_and_nobody_is_sent_to_another_site(url, workspace):
    with httpx2.Client(timeout=60, headers={"origin": url}) as browser:
        for back, to in (("/review?show=all", "/review?show=all"), ("//evil.example", "/review")):
            sent = browser.post(f"{url}/reviewer", data={"name": " Zoë  K. ", "back": back})
            assert (sent.status_code, sent.headers["location"]) == (303, to)
        browser.post(
            f"{url}/review/decide?key={example('a', 'one').key}", data={"verdict": "accept"}
        )
    decide(url, example("a", "one").key, "reject")

    assert [one.reviewer for one in ReviewLog(workspace).decisions()] == ["Zoë K.", "ana"]


def test_reviewers_at_the_same_time_lose_no_decision(url, workspace):
    keys = [example(*row).key for row in (("a", "one"), ("c", "\nthree"))]

    def press(number: int) -> int:
        cookies = {"cookie": f"reviewer=r{number}"}
        with httpx2.Client(timeout=60, headers={"origin": url, **cookies}) as browser:
            answers = [
                browser.post(f"{url}/review/decide?key={key}", data={"verdict": verdict})
                for key in keys
                for verdict in ("accept", "reject", "accept")
            ]
            return sum(answer.status_code == 303 for answer in answers)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(press, range(16))) == 96

    log = ReviewLog(workspace)
    assert len(log.decisions()) == 96
    assert len(log.by_reviewer()) == 32
    assert {decision.verdict for decision in log.by_reviewer().values()} == {"accept"}


def test_a_decision_says_whether_others_had_been_shown(url, workspace):
    key = example("a", "one").key

    def as_ben(verdict: str, view: str) -> None:
        with httpx2.Client(timeout=60, headers={"origin": url, "cookie": "reviewer=ben"}) as ben:
            ben.get(f"{url}/review?key={key}&{view}")
            ben.post(f"{url}/review/decide?key={key}&{view}", data={"verdict": verdict})

    decide(url, key, "accept")
    as_ben("reject", "show=all")
    as_ben("accept", "show=all")
    as_ben("reject", "show=disagreed")

    assert [one.saw_others for one in ReviewLog(workspace).decisions()] == [
        False,
        False,
        True,
        True,
    ]


def test_reports_and_cards_are_shown_without_reach_into_the_studio(url, workspace, dataset):
    report = report_of(workspace, adapter_of(workspace, dataset))

    page = WEB.get(f"{url}/reports/{report.id}")

    assert page.text == report.html_path(workspace).read_text()
    assert "sandbox allow-scripts" in page.headers["content-security-policy"]
    assert report.id in WEB.get(url).text

    assert WEB.get(f"{url}/datasets/{dataset.id}/card").status_code == 409
    dataset.card_path(workspace).write_text("what it covers")
    assert "What it covers" in WEB.get(f"{url}/datasets/{dataset.id}").text
    assert WEB.get(f"{url}/datasets/{dataset.id}/card").text == "what it covers"
