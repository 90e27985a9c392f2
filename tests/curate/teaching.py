"""A plan, a teacher that is a function of the prompt, and seeds to start from: what tests of synthesis share."""

import asyncio
import json
import re
from pathlib import Path

from tunesmith.core.workspace import Workspace
from tunesmith.curate.config import CurateConfig
from tunesmith.curate.synthesis import stage
from tunesmith.engines.teachers import open_teacher
from tunesmith.models.config import ModelConfig

SUBJECTS = [
    "invoice",
    "parcel",
    "password",
    "refund",
    "printer",
    "holiday",
    "contract",
    "battery",
    "mirror",
    "garden",
]


def plant_seeds(workspace: Workspace) -> Workspace:
    """The workspace with a good row for every subject in `data/seeds.jsonl`."""
    rows = [
        {"prompt": f"Where do I find my {subject}?", "completion": f"Below the {subject} page."}
        for subject in SUBJECTS
    ]
    (workspace.root / "data").mkdir()
    (workspace.root / "data/seeds.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return workspace


def between(prompt: str, tag: str) -> str:
    found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", prompt, re.DOTALL)
    return found[1] if found else ""


def teach(prompt: str, body) -> str:
    """What a good teacher says, as a function of the prompt alone."""
    if "You check training data" in prompt:
        return json.dumps({"reason": "checked", "score": 2 if "yadiloh" in prompt else 5})
    if "<passage>" in prompt:
        number = between(prompt, "passage").count("x")
        pairs = [
            {"question": f"Passage {number}, part {n}: what?", "answer": f"{n}!"} for n in "ab"
        ]
        return json.dumps({"pairs": pairs})
    if "<example>" in prompt:
        drawn = abs(hash_of(prompt)) % 10_000
        return json.dumps(
            {"instructions": [f"{drawn} {n * 7} How about {n}?" for n in range(1, 6)]}
        )
    if "<request>" in prompt:
        question = between(prompt, "request")
        kind = re.search(r"this person would send|clearly harder|other words", prompt)
        return json.dumps({"instruction": f"{kind[0] if kind else ''} -> {question[::-1]}"})
    return f"answer to {prompt}"


def hash_of(text: str) -> int:
    return sum(ord(letter) * place for place, letter in enumerate(text, 1))


def plan(url: str, *tasks: dict, **more) -> CurateConfig:
    teacher = {"protocol": "openai", "model": "m", "url": url, "key_variable": "TEACHER_KEY"}
    teacher |= more.pop("teacher", {})
    section = {"teacher": teacher, "tasks": tasks, **more}
    return CurateConfig.model_validate({"synthesize": section})


def synthesize(config: CurateConfig, workspace: Workspace) -> stage.Synthesis:
    def opened(teacher):
        return open_teacher(teacher, ModelConfig(), workspace.root)

    return asyncio.run(stage.run(config, config.synthesize, workspace, opened))


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]
