"""What tells a row that a teacher wrote from a row of the user's."""

TAG = "synthetic"
FACTS = frozenset({"teacher", "prompt_id", "task"})
"""Metadata that every row of a synthesis has."""


def is_synthetic(row: object) -> bool:
    """Whether a row, as it stands in a file, says that a teacher wrote it: by its tag and by who was asked what."""
    if not isinstance(row, dict):
        return False
    tags, facts = row.get("tags"), row.get("metadata")
    return (
        isinstance(tags, list) and TAG in tags and isinstance(facts, dict) and facts.keys() >= FACTS
    )
