"""What bears a name and is nobody, and what bears the name of a thing and is somebody."""

import pytest

from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.privacy.detector import Detector

RULES = Detector(PrivacyConfig().by_rules_alone())
WITH_MODEL = Detector(PrivacyConfig())


def found(text: str, detector: Detector = RULES) -> list[tuple[str, str]]:
    """Texts and types, in order."""
    return [(text[span.start : span.end], span.type) for span in detector.find([text])[0]]


@pytest.mark.parametrize(
    "text",
    [
        "He has Parkinson's, she has Crohn's disease, and Boyle's law is law",
        "the Riemann integral, a Kalman filter and Venn diagrams are taught",
        "a Boolean value, the Newtonian limit, Fermat's little theorem",
        "My Roomba i7 and the ThinkPad X1 Carbon broke on Route 66",
        "earl grey with eggs Benedict at Christmas and Easter",
        "Colours and cheques: Organise your favourites, Apologise to neighbours",
        "SELECT Phone, Grace FROM Clients c LEFT JOIN Orders o ON o.Id = c.Id",
        "self.name is an int64, np.minimum.at(x) gives None, KeyError 10 and 0.5 GB",
        "Caused by: java.io.FileNotFoundException; java.net.URL is final",
        "PLEASE CANCEL MY ORDER, this is the THIRD time, it is for the USERS GROUP",
        "Click Settings, then Delete Account, and choose Rich Text",
    ],
)
def test_what_is_named_after_somebody_is_nobody(text):
    assert found(text, WITH_MODEL) == []


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("Maria's disease got worse", ["Maria"]),
        ("I joined Newton's law firm", ["Newton"]),
        ("Mr. Parkinson's and my order", ["Parkinson"]),
        (
            "Thanks, April! June Whitfield and my sister Ruby wrote",
            ["April", "June Whitfield", "Ruby"],
        ),
        ("I think maria gonzalez can't come, I'm olga", ["maria gonzalez", "olga"]),
        ("INSERT INTO Clients (Name) VALUES ('Ivana Horvat')", ["Ivana Horvat"]),
        ("My name is olga petrova, my son is fine", ["olga petrova"]),
        ("Please ping Dmitri. Ping Ivana too", ["Dmitri", "Ivana"]),
        ("Dr. Anna von Berg and Prof. de la Cruz", ["Anna von Berg", "de la Cruz"]),
    ],
)
def test_who_is_called_like_a_thing_a_month_or_a_verb_is_found(text, people):
    assert [name for name, kind in found(text) if kind == "PERSON"] == people


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a girl, 9 months old", [("9", "AGE")]),
        ("a bug that is 9 months old", []),
        ("My kids are 4, 6 and 11.", [("4", "AGE"), ("11", "AGE")]),
        ("Born 14 February 1955, retired", [("14 February 1955", "DATE_TIME")]),
        ("I am with HARROW & FINCH LLP", [("HARROW & FINCH LLP", "ORGANIZATION")]),
        ("She works for MERIDIAN FREIGHT", [("MERIDIAN FREIGHT", "ORGANIZATION")]),
        ("He is in his late 50s", [("50s", "AGE")]),
        ("ring +49 30 123456-78 ext. 12", [("+49 30 123456-78 ext. 12", "PHONE_NUMBER")]),
        ("Tel. 0043 1 5138892 DW 14", [("0043 1 5138892 DW 14", "PHONE_NUMBER")]),
        ("passport no. is C01X00T47", [("C01X00T47", "ID")]),
        ("Twitter: @jane_doe", [("@jane_doe", "ID")]),
        ("Skype id: live:marek.kos; Signal is not.ok here", [("live:marek.kos", "ID")]),
        ("the @property decorator, a@b and npm i @types/node", []),
        ("The CFO and our CTO met", []),
        (
            "Chiara Lombardi, our regional sales manager, came",
            [("Chiara Lombardi", "PERSON"), ("regional sales manager", "TITLE")],
        ),
    ],
)
def test_ages_numbers_and_handles_are_told_by_what_stands_around_them(text, expected):
    assert found(text) == expected
