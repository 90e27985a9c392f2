"""The model card: Markdown for the hub with what the workspace knows about the model, and nothing else."""

from importlib.resources import files
from typing import NamedTuple

from tunesmith.artifacts.adapter import Adapter
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.artifacts.export import Export
from tunesmith.models.provenance import UNKNOWN, repository_of

LIBRARIES = {"adapter": "peft", "merged": "transformers", "gguf": "gguf"}


class Lineage(NamedTuple):
    """What a model was made from and how it did."""

    adapter: Adapter
    dataset: Dataset
    report: EvalReport | None
    """The newest one about this adapter."""


def write_card(export: Export, lineage: Lineage) -> str:
    """The card as Markdown, front matter first."""
    from jinja2 import Environment, StrictUndefined

    text = files("tunesmith.train.export").joinpath("card.md.jinja").read_text("utf-8")
    # Markdown for people, not a page: escaping would spoil it.
    template = Environment(undefined=StrictUndefined, keep_trailing_newline=True).from_string(text)  # noqa: S701
    return template.render(
        export=export,
        adapter=lineage.adapter,
        dataset=lineage.dataset,
        report=lineage.report,
        license=export.license,
        base_repository=repository_of(export.base),
        base=base_name(export),
        library=LIBRARIES[export.format],
        sentence=_sentence(export),
        loading=_loading(export),
        license_sentence=_license_sentence(export),
        percent=lambda share: f"{100 * share:.1f} %",
        points=lambda share: f"{100 * share:+.1f}",
    )


def base_name(export: Export) -> str:
    """The base as others know it: its repository, or the name of a folder or file."""
    return repository_of(export.base) or export.base.reference


def _sentence(export: Export) -> str:
    what = {
        "adapter": "A LoRA adapter for",
        "merged": "A specialist, tuned from",
        "gguf": "A specialist for llama.cpp and Ollama, tuned from",
    }
    return f"{what[export.format]} `{base_name(export)}`, made with tunesmith."


def _loading(export: Export) -> str:
    if export.format == "gguf":
        return f"ollama create {export.name} -f Modelfile\nollama run {export.name}"
    lines = ["from transformers import AutoModelForCausalLM, AutoTokenizer", ""]
    if export.format == "merged":
        lines.append('model = AutoModelForCausalLM.from_pretrained(".")')
    else:
        is_commit = repository_of(export.base) == export.base.reference.partition("@")[0]
        revision = f', revision="{export.base.revision}"' if is_commit else ""
        lines.insert(0, "from peft import PeftModel")
        lines.append(
            f'base = AutoModelForCausalLM.from_pretrained("{base_name(export)}"{revision})'
        )
        lines.append('model = PeftModel.from_pretrained(base, ".")')
    lines.append('tokenizer = AutoTokenizer.from_pretrained(".")')
    return "\n".join(lines)


def _license_sentence(export: Export) -> str:
    base = f"`{base_name(export)}`"
    if export.license == UNKNOWN:
        return (
            f"The files of {base} do not say under which license it stands."
            " Find out before passing this model on: it is bound by the base's license."
        )
    return f"`{export.license}`, the license of the base model {base}, whose weights it builds on."
