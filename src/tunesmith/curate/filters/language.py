"""Rows in a language that is not asked for."""

from collections.abc import Sequence

from tunesmith.core.conversation import Example
from tunesmith.curate.filters.finding import Finding, RowFilter, row_filter
from tunesmith.errors import MissingDependencyError

LEAST_CHARACTERS = 40
"""Shorter texts say too little of their language."""


@row_filter
def language(*, languages: Sequence[str], least_characters: int = LEAST_CHARACTERS) -> RowFilter:
    """Remove answers surely in another language than `languages` (codes such as en, de), note doubtful ones."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "py3langid",
            needed_for="the row filter 'language'",
            install="pip install 'tunesmith[language]'",
        ) from error
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    expected = frozenset(languages)

    def check(example: Example) -> Finding | None:
        if len(example.answer) < least_characters:
            return None
        found, probability = identifier.classify(example.answer)
        if found in expected:
            return None
        return Finding(
            float(probability), f"the answer is in {found}, not in {', '.join(languages)}"
        )

    return check
