"""`freeze`: an inference copy with every exact folding applied."""

from __future__ import annotations

from collections.abc import Callable

from irrepnet import models, nn, specs
from irrepnet._errors import SpecError
from irrepnet.compiler import Plan, compile
from irrepnet.freezing._centre_stream import centre_stream
from irrepnet.freezing._fold_affine import fold_affine
from irrepnet.freezing._fold_butterfly import fold_butterfly
from irrepnet.freezing._fold_scales import drop_dropout, fold_layer_scale, fold_norm_affine
from irrepnet.freezing._fold_token_bias import fold_token_bias
from irrepnet.freezing._frozen import Frozen
from irrepnet.freezing._overwrite import overwrite

#: In this order: scales go into the maps that then write centred features.
FOLDINGS: tuple[Callable[[Frozen], Frozen], ...] = (
    drop_dropout,
    fold_layer_scale,
    fold_norm_affine,
    fold_affine,
    centre_stream,
    fold_butterfly,
    fold_token_bias,
    overwrite,
)


def freeze(
    model: nn.Layer, foldings: tuple[Callable[[Frozen], Frozen], ...] = FOLDINGS
) -> nn.Layer:
    """An inference copy of a network that computes the same with fewer passes over memory.

    Factors, shifts and scales go into the linear maps next to them; the writers of the residual
    stream are centred so that typed norms become one native pass. All of it is exact algebra: the
    outputs are equal to rounding in the weights' dtype, and so is the copy as equivariant as the
    original.

    Args:
        model: A network made by `irrepnet.compile` or `irrepnet.create_model`.
        foldings: Which foldings to apply, in order.

    Returns:
        A network of its own, in evaluation mode, whose parameters require no gradient; it has a
        plan, and can be counted, certified and saved like any other.

    Raises:
        SpecError: If the model has no plan.

    Cost:
        One copy of the weights.

    References:
        Jacob et al. (arXiv 1712.05877), folding of normalisation, for the idea.

    Examples:
        >>> import torch
        >>> import irrepnet as ir
        >>> options = {"group": "flop", "depth": 1, "num_classes": 2}
        >>> model = ir.create_model("vit_tiny_patch16_224", **options).eval()
        >>> x = torch.randn(1, 3, 224, 224)
        >>> torch.allclose(ir.freeze(model)(x), model(x), atol=1e-5)
        True
    """
    if not isinstance(getattr(model, "plan", None), Plan):
        raise SpecError(
            f"{type(model).__name__} has no plan: expected a network made by irrepnet.compile or "
            f"irrepnet.create_model."
        )
    state = {key: value.detach().clone() for key, value in model.state_dict().items()}
    frozen = Frozen(model.plan.root, state)
    for folding in foldings:
        frozen = folding(frozen)
    sample = next(iter(state.values()), None)
    device, dtype = (None, None) if sample is None else (sample.device, sample.dtype)
    spec, lowering = frozen.root.spec, model.plan.lowering
    if isinstance(spec, specs.Classifier):
        copy: nn.Layer = models.build(spec, device, dtype, lowering)
    else:
        copy = compile(spec, lowering, device, dtype)
    copy.load_state_dict(frozen.state)
    return copy.eval().requires_grad_(False)
