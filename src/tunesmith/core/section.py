"""Section: the frozen, closed model behind every recipe section, message and manifest."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A record whose fields cannot be misspelt, added to or changed; the text under a field documents it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
