"""The form of a text in which two texts that say the same, letter for letter, are equal."""

import unicodedata


def normalise(text: str) -> str:
    """Compatibility forms unified, case and white space ignored, closing punctuation dropped."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).rstrip(".!?,;: ")
