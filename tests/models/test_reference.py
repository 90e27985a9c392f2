"""From a name in the recipe to weights on disk: offline where asked, never a pickle, never foreign code."""

import json
import shutil
from pathlib import Path

import pytest

from tunesmith.errors import ModelError, UnsafeWeightsError
from tunesmith.models.config import ModelConfig
from tunesmith.models.reference import resolve, weights_revision

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub_cache(tiny_model, tmp_path, monkeypatch) -> Path:
    """A hub cache that holds `acme/tiny` at one commit, as huggingface_hub lays it out."""
    import huggingface_hub.constants

    root = tmp_path / "hub"
    snapshot = root / "models--acme--tiny" / "snapshots" / COMMIT
    shutil.copytree(tiny_model, snapshot)
    refs = root / "models--acme--tiny" / "refs"
    refs.mkdir()
    (refs / "main").write_text(COMMIT)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(root))
    return root


def test_a_hub_name_is_found_offline_and_pinned_to_its_commit(hub_cache, tmp_path):
    for base in ("acme/tiny", f"acme/tiny@{COMMIT}"):
        found = resolve(ModelConfig(base=base), tmp_path)

        assert found.revision == COMMIT
        assert (found.folder / "model.safetensors").is_file()


def test_what_is_not_in_the_cache_is_refused_offline_with_the_way_out(hub_cache, tmp_path):
    with pytest.raises(ModelError, match="acme/huge@main is not in the local cache") as caught:
        resolve(ModelConfig(base="acme/huge"), tmp_path)

    assert "HF_HUB_OFFLINE" in caught.value.fix


def test_a_name_that_is_nothing_says_what_may_be_written(tmp_path):
    with pytest.raises(ModelError, match="neither a folder"):
        resolve(ModelConfig(base="no such thing"), tmp_path)


def test_a_folder_is_known_by_its_weights_and_not_by_its_place(tiny_model, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tiny_model, elsewhere)

    found = resolve(ModelConfig(base="elsewhere"), tmp_path)

    assert found.revision == weights_revision(tiny_model)


def test_pickled_weights_are_refused(tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")

    with pytest.raises(UnsafeWeightsError, match=r"pickled weights \(pytorch_model\.bin\)"):
        resolve(ModelConfig(base="pickled"), tmp_path)


def test_a_model_that_brings_code_is_refused_until_the_recipe_trusts_it(tiny_model, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "coded")
    path = tmp_path / "coded" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": {"AutoModel": "a.B"}}))

    with pytest.raises(UnsafeWeightsError, match="its own Python code"):
        resolve(ModelConfig(base="coded"), tmp_path)
    assert resolve(ModelConfig(base="coded", trust_remote_code=True), tmp_path).folder.is_dir()
