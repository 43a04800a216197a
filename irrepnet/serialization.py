"""Spec and weights in one safetensors file; nothing is pickled."""

from __future__ import annotations

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from irrepnet import compiler, models, nn, specs
from irrepnet._errors import CheckpointError

#: Version of the file's layout; a file of another version is refused.
FORMAT = "1"


def save(model: nn.Layer, path: str | os.PathLike[str]) -> None:
    """Write a compiled network's spec and weights to one safetensors file.

    Args:
        model: A network made by `irrepnet.compile` or `irrepnet.create_model`.
        path: The file; it is replaced only once the new one is complete.

    Raises:
        CheckpointError: If the model has no plan or no weights, or the file cannot be written.
    """
    if not isinstance(getattr(model, "plan", None), compiler.Plan):
        raise CheckpointError(
            f"{type(model).__name__} has no plan: expected a network made by irrepnet.compile or "
            f"irrepnet.create_model; other modules save their state_dict with safetensors."
        )
    metadata = {
        "irrepnet_format": FORMAT,
        "spec": json.dumps(model.plan.spec.to_json()),
        "lowering": model.plan.lowering,
        "dtype": str(_dtype(model)).removeprefix("torch."),
    }
    state = {key: value.detach().contiguous() for key, value in model.state_dict().items()}
    if any(value.is_meta for value in state.values()):
        raise CheckpointError(
            "the network lies on the meta device and has no weights: expected one on a real device."
        )
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    try:
        save_file(state, partial, metadata)
        partial.replace(target)
    except (SafetensorError, OSError) as problem:
        raise CheckpointError(
            f"cannot write {path}: {problem}. Expected a file in a folder that exists."
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _dtype(model: nn.Layer) -> torch.dtype:
    """Of the weights, or where there are none of the tables."""
    found = (t.dtype for t in (*model.parameters(), *model.buffers()) if t.is_floating_point())
    return next(found, torch.get_default_dtype())


def load(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> nn.Layer:
    """Rebuild a network that `save` wrote, in evaluation mode.

    Args:
        path: The file.
        device: Where the weights go.

    Raises:
        CheckpointError: If the file is none that `save` wrote, or its weights do not fit its spec.
    """
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            metadata = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}
    except (SafetensorError, OSError) as problem:
        raise CheckpointError(
            f"cannot read {path}: {problem}. Expected a file written by irrepnet.save."
        ) from None
    if metadata.get("irrepnet_format") != FORMAT:
        raise CheckpointError(
            f"{path} is of format {metadata.get('irrepnet_format')!r}: expected {FORMAT!r}, as "
            f"irrepnet.save writes it."
        )
    spec = _spec(path, metadata)
    dtype = getattr(torch, metadata.get("dtype", "float32"))
    if isinstance(spec, specs.Classifier):
        model = models.build(spec, device, dtype, metadata["lowering"])
    else:
        model = compiler.compile(spec, metadata["lowering"], device, dtype)
    model.load_state_dict(state)
    return model.eval()


def _spec(path: str | os.PathLike[str], metadata: dict[str, str]) -> specs.Spec:
    """The spec that a file's metadata hold."""
    try:
        return specs.from_json(json.loads(metadata["spec"]))
    except (KeyError, json.JSONDecodeError) as problem:
        raise CheckpointError(
            f"{path} holds no readable spec ({problem}): expected a file written by irrepnet.save."
        ) from None
