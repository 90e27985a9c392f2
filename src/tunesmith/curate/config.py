"""The `curate:` section of a recipe."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, model_validator

from tunesmith.core.privacy.config import PrivacyConfig
from tunesmith.core.section import Section
from tunesmith.curate.filters.finding import FilterChoice
from tunesmith.curate.mapping import Mapping
from tunesmith.curate.synthesis.config import SynthesizeConfig


def _is_known(name: str) -> str:
    try:
        "a".encode(name)
    except LookupError:
        raise ValueError(
            f"no encoding is called {name!r}; try cp1252, cp1250 or shift_jis"
        ) from None
    return name


Encoding = Annotated[str, AfterValidator(_is_known)]
"""Any that Python knows."""


class LabelNoise(Section):
    """Which rows are removed because their answers seem wrong."""

    share: float = Field(gt=0, lt=1)
    """Share of the rows to remove, the most suspicious ones."""
    by: Literal["probe", "neighbours"] = "probe"
    """`probe`: an adapter trained briefly on other rows says how far an answer follows from its question;
    `neighbours`: answers are compared with those of the rows that ask most alike, which takes seconds and no model."""
    steps: PositiveInt = 60
    """Optimizer steps of a probe, at most one epoch."""


class CurateConfig(Section):
    """Which raw files become the dataset, how they are cleaned, and how they are split."""

    sources: tuple[str, ...] = Field(("data/*",), min_length=1)
    """Files, folders or patterns, relative to the recipe; `hf://owner/name@revision` for the hub's datasets."""
    experts: tuple[str, ...] = ()
    """Those of the sources whose rows are trusted most: of two that say the same, theirs is kept."""
    mapping: tuple[Mapping, ...] = ()
    """How rows become conversations where their columns are not recognised, or should not be."""
    synthesize: SynthesizeConfig | None = None
    """Rows that a teacher model writes, by `tunesmith curate synthesize`; its output is a source like any other."""
    encoding: Encoding | None = None
    """Encoding of files that are no UTF-8 and declare none, such as `cp1250`; unset guesses, and says so."""
    golden: str | None = None
    """File with the golden cases; without one, `golden_share` of the examples is held out."""
    golden_share: float = Field(0.1, gt=0, lt=0.5)
    """Share of prompts held out as golden cases where no golden file is named."""
    validation_share: float = Field(0.1, ge=0, lt=0.5)
    """Share of prompts kept to measure loss while training."""
    group_by: tuple[str, ...] = ()
    """Columns that name where a row belongs (thread, customer, document): a group stays on one side of a split."""
    stratify_by: tuple[str, ...] = ()
    """Columns whose values have the same shares on every side of a split."""
    system: str | None = None
    """System turn put before conversations that have none, golden ones included."""
    max_characters: PositiveInt = 100_000
    """Longest example; longer rows are set aside."""
    filters: tuple[FilterChoice, ...] = (
        "secrets",
        "refusal",
        "truncation",
        "encoding",
        "markup",
        "boilerplate",
        "toxicity",
    )
    """Row filters (`tunesmith filters` lists them), or your own as `file.py:function`."""
    remove_from: float = Field(0.95, ge=0, le=1)
    """How sure a filter must be to remove a row; what it is less sure of is noted for the review."""
    duplicates: Literal["remove", "keep"] = "remove"
    """What happens to rows that say what another row says: the best of them stays, or every one counts as often as it
    stands, for rows that are repeated on purpose."""
    near_duplicates: float | None = Field(0.85, gt=0.3, le=1)
    """Jaccard similarity of five-character shingles from which the best of several rows is kept; `null` keeps all."""
    semantic_duplicates: float | None = Field(None, gt=0.3, le=1)
    """Cosine similarity of meaning from which the best of several rows is kept, say 0.95; unset does not look."""
    numbers_matter: bool = True
    """Rows with other numbers in them are no near-duplicates: above 90 % and above 95 % mean different things."""
    leakage: float | None = Field(0.9, gt=0.3, le=1)
    """Similarity from which two questions may not stand on different sides of a split; `null`: equal ones may not."""
    label_noise: LabelNoise | None = None
    """Rows whose answers seem wrong are removed; unset removes none (`tunesmith curate noise` lists them)."""
    select: PositiveInt | None = None
    """Keep only this many rows, the most diverse ones by the words of their questions; unset keeps all."""
    privacy: PrivacyConfig = PrivacyConfig()
    """What happens to personal data in the rows."""
    keep: tuple[str, ...] = ()
    """Keys of rows to keep whatever a rule says, as `tunesmith curate removed` prints them; golden rules excepted."""
    engine: Literal["local", "ray"] = "local"
    """Where rows are read and cleaned: on this machine's cores, or on a Ray cluster that shares its disk."""
    workers: NonNegativeInt = 0
    """Processes that read and clean; 0 takes a process a core."""
    seed: int = 0
    """Another seed sends other prompts to validation."""

    @model_validator(mode="after")
    def _kept_duplicates_are_not_removed_as_near_ones(self) -> Self:
        looked_for = [
            name
            for name in ("near_duplicates", "semantic_duplicates")
            if getattr(self, name) is not None
        ]
        if self.duplicates == "keep" and looked_for:
            raise ValueError(
                f"duplicates: keep, but {' and '.join(looked_for)} would remove them again; "
                f"set {' and '.join(f'{name}: null' for name in looked_for)}"
            )
        return self
