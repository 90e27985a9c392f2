"""The file of the new rows: ours to write anew only while every row in it is one that a teacher wrote."""

import json
from collections.abc import Sequence
from pathlib import Path

from tunesmith.core.workspace import Workspace, write_text
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.loading import paths_matching
from tunesmith.curate.readers import hugging_face
from tunesmith.curate.readers.folders import READABLE, files_in
from tunesmith.curate.synthesis.config import SynthesizeConfig
from tunesmith.curate.synthesis.drafts import Draft
from tunesmith.curate.synthesis.judging import Row
from tunesmith.curate.synthesis.provenance import TAG, is_synthetic
from tunesmith.curate.synthesis.writing import Aside
from tunesmith.errors import DataError


def need_own_output(plan: SynthesizeConfig, workspace: Workspace) -> Path:
    """Where the rows go, if nothing but rows of earlier runs is lost by writing there.

    Raises:
        DataError: If something else stands there.
    """
    path = workspace.path_of(plan.output)
    if path.is_dir():
        raise _taken(plan.output, "is a folder")
    if path.is_file():
        with path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip() and not _is_ours(line):
                    raise _taken(plan.output, f"holds in line {number} no row that a teacher wrote")
    return path


def is_source(output: Path, config: CurateConfig, workspace: Workspace) -> bool:
    """Whether the next curation reads the output: by its name, by a pattern, or in a folder."""
    local = [name for name in config.sources if not name.startswith(hugging_face.SCHEME)]
    paths = [path for name in local for path in paths_matching(name, workspace)]
    folders = [path for path in paths if path.is_dir() and output.is_relative_to(path)]
    is_inside = any(output in files_in(folder) for folder in folders)
    return output in paths or (is_inside and output.suffix.lower() in READABLE)


def write_rows(path: Path, rows: Sequence[Row], model: str) -> None:
    """Write the rows as a source for `curate`, whole or not at all."""
    write_text(path, "".join(_line(_as_json(row, model)) for row in rows))


def write_aside(path: Path, aside: Sequence[Aside]) -> None:
    """Write what is not kept, with its reason."""
    write_text(path, "".join(_line(_aside_json(one)) for one in aside))


def _taken(shown: str, what: str) -> DataError:
    return DataError(
        f"curate.synthesize.output: {shown} {what}; that would be lost, so it is left alone",
        fix="name a file of its own in curate.synthesize.output, or move yours elsewhere",
    )


def _is_ours(line: bytes) -> bool:
    try:
        return is_synthetic(json.loads(line))
    except (ValueError, RecursionError):
        return False


def _as_json(row: Row, model: str) -> dict[str, object]:
    facts = {**_facts(row.draft), "teacher": model}
    if row.score is not None:
        facts |= {"judge_score": str(row.score), "judge_reason": row.verdict}
    return {
        "messages": [turn.model_dump() for turn in row.messages],
        "group": row.draft.group,
        "tags": [TAG, row.draft.task],
        "metadata": facts,
    }


def _aside_json(one: Aside) -> dict[str, object]:
    question, said = one.draft.question, one.said or one.draft.answer
    return {
        "step": one.step,
        "reason": one.reason,
        "question": question,
        "said": said,
        **_facts(one.draft),
    }


def _facts(draft: Draft) -> dict[str, str]:
    return {"task": draft.task, "prompt_id": draft.prompt_id, "seed": draft.made_from}


def _line(value: dict[str, object]) -> str:
    # Halves of characters, which a model may write as escapes, become question marks.
    text = json.dumps(value, ensure_ascii=False) + "\n"
    return text.encode("utf-8", errors="replace").decode("utf-8")
