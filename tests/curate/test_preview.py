"""The preview shows what curation would do, shares its rows between the sources, and writes nothing."""

import json

import pytest

from tunesmith.curate.config import CurateConfig
from tunesmith.curate.preview import preview
from tunesmith.curate.stage import run
from tunesmith.errors import NoGoodRowsError


def pairs(count: int) -> str:
    return "".join(json.dumps({"prompt": f"q{n}", "completion": "a"}) + "\n" for n in range(count))


def test_rows_are_shared_between_sources_and_what_would_be_set_aside_is_counted_by_reason(
    workspace,
):
    (workspace.root / "data").mkdir()
    (workspace.root / "data/a.jsonl").write_text(pairs(20) + "{}\n{}\n{")
    (workspace.root / "data/b.jsonl").write_text(pairs(2))

    found = preview(CurateConfig(), workspace, rows=5)

    sources = [row.example.source for row in found.converted]
    assert sources == [f"data/a.jsonl:{n}" for n in (1, 2, 3)] + [
        f"data/b.jsonl:{n}" for n in (1, 2)
    ]
    assert found.reasons()[0] == ("no known columns (found: none)", 2)
    assert (found.read, len(found.rejected)) == (25, 3)
    assert not (workspace.root / ".tunesmith").exists()

    made = run(CurateConfig(validation_share=0.2), workspace)
    aside = made.dataset.rejected_path(workspace).read_text().splitlines()
    assert [row._asdict() for row in found.rejected] == [json.loads(row) for row in aside[:3]]


def test_where_the_recipe_masks_the_preview_masks_and_says_so(workspace):
    (workspace.root / "data").mkdir()
    row = {"prompt": "Who?", "completion": "write to maria.garcia@example-shop.com"}
    lines = [json.dumps(row), '{"broken": "jon.snow@example-wall.org"}']
    (workspace.root / "data/a.jsonl").write_text("\n".join(lines))
    rules_alone = {"mode": "mask", "model": ""}

    found = preview(CurateConfig(privacy=rules_alone), workspace)
    plain = preview(CurateConfig(), workspace)

    assert "maria.garcia@example-shop.com" in json.dumps(plain.as_json())
    assert (found.is_masked, len(found.converted), len(found.rejected)) == (True, 1, 1)
    told = json.dumps(found.as_json())
    assert "maria.garcia" not in told
    assert "jon.snow" not in told


def test_a_mapping_that_fits_no_source_is_named_in_preview_and_dataset(workspace):
    (workspace.root / "data/more").mkdir(parents=True)
    (workspace.root / "data/a.jsonl").write_text(pairs(20))
    (workspace.root / "data/more/b.jsonl").write_text(pairs(2))
    turns = {"question": "{{ prompt }}", "answer": "{{ completion }}"}
    patterns = ("data/tickts*", "data/more/b*", "data/a.jsonl")
    mapping = [{"files": files, **turns} for files in patterns]
    config = CurateConfig.model_validate({"mapping": mapping, "golden_share": 0.3})

    found = preview(config, workspace)

    assert found.unused_mappings == ("data/tickts*",)
    assert found.as_json()["unused_mappings"] == ["data/tickts*"]
    made = run(config, workspace).dataset
    assert made.unused_mappings == ("data/tickts*",)
    assert made.load(workspace, made.id) == made
    assert preview(CurateConfig(), workspace).unused_mappings == ()

    (workspace.root / "data/tickets.jsonl").write_text('{"q": "Why?", "a": "So."}')
    with pytest.raises(NoGoodRowsError, match=r"tickets\.jsonl") as none:
        run(config, workspace)
    assert "no source fits 'data/tickts*'" in none.value.fix
