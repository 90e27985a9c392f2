"""What texts are: equal to others, letter for letter, and JSON or not."""

import json
import unicodedata


def normalise(text: str) -> str:
    """Compatibility forms unified, case and white space ignored, closing punctuation dropped."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).rstrip(".!?,;: ")


def is_json(text: str) -> bool:
    """Whether a text as a whole is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def encodable(text: str) -> str:
    """The text, halves of characters (lone surrogates) written as escapes, which is what JSON writes for them."""
    return text.encode("utf-8", errors="backslashreplace").decode("utf-8")
