"""From a base model and adapters on disk to one endpoint that answers for all of them."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from tunesmith.artifacts.adapter import Adapter, Method, Quantization
from tunesmith.core.workspace import Workspace
from tunesmith.engines.endpoint import Completion, Delta, Endpoint, Generation
from tunesmith.engines.in_process import InProcessEngine
from tunesmith.errors import ModelError, UnknownNameError
from tunesmith.models.config import ModelConfig
from tunesmith.models.loading import LoadedModel, Precision, device_name, load_model
from tunesmith.models.merging import load_merged, shares_base
from tunesmith.models.reference import ResolvedModel, resolve, weights_revision


class Served(NamedTuple):
    """A tuned model to answer for."""

    name: str
    folder: Path
    method: Method
    base_name: str
    """`reference@revision` of the base it was trained on."""
    quantization: Quantization

    @classmethod
    def of(cls, adapter: Adapter, workspace: Workspace) -> Self:
        """An adapter of the workspace under its own name."""
        return cls(
            adapter.name,
            adapter.weights_folder(workspace),
            adapter.method,
            adapter.base.name,
            adapter.base.quantization,
        )


def open_endpoint(
    model: ModelConfig, root: Path, served: Sequence[Served], *, max_batch: int = 32
) -> Endpoint:
    """Load the base once, all adapters over it, and each by itself what cannot share it.

    Fully tuned models, and adapters that peft cannot mix in a batch, have a copy of the weights of their own.

    Args:
        model: The recipe's `model:` section.
        root: The folder that relative paths start from.
        served: Tuned models by name; later ones of the same name are refused.
        max_batch: Requests decoded together by each engine.

    Raises:
        ModelError: If an adapter was trained on another base, or held in another precision, than the rest.
    """
    names = [model.served_name, *(one.name for one in served)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ModelError(f"two models are called {twice!r}", fix="release one under another name")
    resolved = resolve(model, root)
    adapters = [one for one in served if one.method != "full"]
    quantization: Quantization = adapters[0].quantization if adapters else "none"
    base = load_model(resolved, model, quantization=quantization, precision=serving_precision())
    for one in adapters:
        if (one.base_name, one.quantization) != (base.identity.name, quantization):
            raise ModelError(
                f"{one.name} was trained on {one.base_name} ({one.quantization}),"
                f" the base in memory is {base.identity.name} ({quantization})",
                fix="train it anew on this base, or serve it from a workspace of its own",
            )
    folders = {one.name: one.folder for one in adapters if shares_base(one.folder)}
    engines: list[Endpoint] = [
        InProcessEngine(base, model.served_name, folders, max_batch=max_batch)
    ]
    for one in served:
        if one.name not in folders:
            loaded = _load_apart(one, resolved, model)
            engines.append(InProcessEngine(loaded, one.name, max_batch=max_batch))
    return engines[0] if len(engines) == 1 else RoutedEndpoint(engines)


def _load_apart(one: Served, base: ResolvedModel, model: ModelConfig) -> LoadedModel:
    precision = serving_precision()
    if one.method == "full":
        whole = ResolvedModel(one.name, weights_revision(one.folder), one.folder)
        return load_model(whole, model, quantization="none", precision=precision)
    return load_merged(base, model, one.folder, quantization=one.quantization, precision=precision)


def serving_precision() -> Precision:
    """float32 on CPU, where it makes answers independent of their batch; bfloat16 on CUDA."""
    return "float32" if device_name() == "cpu" else "bfloat16"


class RoutedEndpoint:
    """Several engines as one; implements `Endpoint`."""

    def __init__(self, engines: Sequence[Endpoint]) -> None:
        """Send each request to the first engine that answers for its model."""
        self._engines = engines

    def models(self) -> list[str]:
        """All names, the first engine's first."""
        return [name for engine in self._engines for name in engine.models()]

    async def complete(self, request: Generation) -> Completion:
        """The whole answer; see `Endpoint.complete`."""
        return await self._engine(request.model).complete(request)

    def stream(self, request: Generation) -> AsyncIterator[Delta]:
        """The answer piece by piece."""
        return self._engine(request.model).stream(request)

    async def close(self) -> None:
        """Close every engine."""
        for engine in self._engines:
            await engine.close()

    def _engine(self, name: str) -> Endpoint:
        for engine in self._engines:
            if name in engine.models():
                return engine
        raise UnknownNameError("model", name, self.models())
