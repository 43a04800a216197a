"""The ordinary networks as people write them by hand, without irrepnet.

A speed-up counts only if the baseline is not slow. These are plain `nn.Linear`, `nn.Conv2d`,
`nn.LayerNorm`, `nn.GELU` and fused attention, in the manner of timm; parameters stand in the same
order and number as in the compiled network over the trivial group, so that one can take the
weights of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from irrepnet._errors import OptionError
from irrepnet.models._registry import MODELS

#: Epsilon of the norms of vision transformers and ConvNeXts.
EPS = 1e-6


def reference(
    name: str,
    *,
    num_classes: int = 1000,
    img_size: int = 224,
    in_chans: int = 3,
    **sizes: Any,
) -> nn.Module:
    """A registered model's ordinary network, written by hand.

    Args:
        name: One of `list_models()`.
        num_classes: Number of logits.
        img_size: Height and width of the images.
        in_chans: Image channels.
        **sizes: Further sizes of the model, such as `depth`.

    Raises:
        OptionError: If a size is none of the model's.

    References:
        Touvron et al., *DeiT III* (arXiv 2204.07118); Touvron et al., *ResMLP* (arXiv 2105.03404);
        Liu et al., *A ConvNet for the 2020s* (arXiv 2201.03545).

    Examples:
        >>> network = reference("vit_tiny_patch16_224", depth=1, num_classes=2)
        >>> network(torch.ones(1, 3, 224, 224)).shape
        torch.Size([1, 2])
    """
    known = dict(vars(MODELS[name].sizes[name]))
    unknown = sorted(set(sizes) - set(known))
    if unknown:
        raise OptionError(
            f"got {', '.join(unknown)} for the hand-written {name}: expected some of "
            f"{', '.join(sorted(known))}, num_classes, img_size, in_chans."
        )
    known.update(sizes)
    family = next(make for start, make in FAMILIES.items() if name.startswith(start))
    return family(num_classes=num_classes, img_size=img_size, in_chans=in_chans, **known)


class Scale(nn.Module):
    """LayerScale: one factor for each channel."""

    def __init__(self, dim: int, init: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), init))

    def forward(self, x: Tensor) -> Tensor:
        """Scale the channels."""
        return x * self.gamma


class Affine(nn.Module):
    """A factor and a shift for each channel."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Scale and shift the channels."""
        return torch.addcmul(self.beta, self.alpha, x)


class Patches(nn.Module):
    """Patch embedding: a strided convolution, then tokens or a map."""

    def __init__(self, in_chans: int, dim: int, patch: int, tokens: bool = True) -> None:
        super().__init__()
        self.proj = nn.Conv2d(in_chans, dim, patch, patch)
        self.tokens = tokens

    def forward(self, x: Tensor) -> Tensor:
        """Embed the patches."""
        x = self.proj(x)
        return x.flatten(2).transpose(1, 2) if self.tokens else x


class Prefix(nn.Module):
    """Positions on the patches, and a class token before them."""

    def __init__(self, dim: int, tokens: int) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(0.02 * torch.randn(tokens, dim))
        self.cls_token = nn.Parameter(0.02 * torch.randn(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Add and prepend."""
        return torch.cat((self.cls_token.expand(len(x), 1, -1), x + self.pos_embed), dim=1)


class Attention(nn.Module):
    """Multi-head self-attention, fused."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x = scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(batch, tokens, dim))


class MLP(nn.Module):
    """Two linear maps with a GELU between."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Apply both."""
        return self.fc2(self.act(self.fc1(x)))


class ViTBlock(nn.Module):
    """Attention, then MLP, each around a skip connection."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=EPS)
        self.attn = Attention(dim, heads)
        self.ls1 = Scale(dim, 1e-6)
        self.norm2 = nn.LayerNorm(dim, eps=EPS)
        self.mlp = MLP(dim)
        self.ls2 = Scale(dim, 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Transform tokens."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class ViT(nn.Module):
    """The DeiT III network."""

    def __init__(
        self,
        *,
        num_classes: int,
        img_size: int,
        in_chans: int,
        patch: int,
        width: int,
        depth: int,
        heads: int,
    ) -> None:
        super().__init__()
        self.patch_embed = Patches(in_chans, width, patch)
        self.tokens = Prefix(width, (img_size // patch) ** 2)
        self.blocks = nn.Sequential(*(ViTBlock(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=EPS)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of images."""
        x = self.tokens(self.patch_embed(x))
        return self.head(self.norm(self.blocks(x))[:, 0])


class ResMLPBlock(nn.Module):
    """Tokens mixed, then channels, each around a skip connection."""

    def __init__(self, dim: int, tokens: int, init: float) -> None:
        super().__init__()
        self.norm1 = Affine(dim)
        self.mix = nn.Linear(tokens, tokens)
        self.ls1 = Scale(dim, init)
        self.norm2 = Affine(dim)
        self.mlp = MLP(dim)
        self.ls2 = Scale(dim, init)

    def forward(self, x: Tensor) -> Tensor:
        """Transform tokens."""
        x = x + self.ls1(self.mix(self.norm1(x).transpose(1, 2)).transpose(1, 2))
        return x + self.ls2(self.mlp(self.norm2(x)))


class ResMLP(nn.Module):
    """A ResMLP."""

    def __init__(
        self,
        *,
        num_classes: int,
        img_size: int,
        in_chans: int,
        patch: int,
        width: int,
        depth: int,
        init_values: float,
    ) -> None:
        super().__init__()
        tokens = (img_size // patch) ** 2
        self.patch_embed = Patches(in_chans, width, patch)
        blocks = (ResMLPBlock(width, tokens, init_values) for _ in range(depth))
        self.blocks = nn.Sequential(*blocks)
        self.norm = Affine(width)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of images."""
        return self.head(self.norm(self.blocks(self.patch_embed(x))).mean(dim=1))


class MapNorm(nn.LayerNorm):
    """LayerNorm over the channels of maps."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise every pixel."""
        return super().forward(input.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution and MLP around a skip connection."""

    def __init__(self, dim: int, init: float | None) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=EPS)
        self.mlp = MLP(dim)
        self.scale = nn.Identity() if init is None else Scale(dim, init)

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps."""
        y = self.conv_dw(x).permute(0, 2, 3, 1)
        y = self.scale(self.mlp(self.norm(y)))
        return x + y.permute(0, 3, 1, 2)


class ConvNeXt(nn.Module):
    """A ConvNeXt in stages, or of one stage."""

    def __init__(
        self,
        *,
        num_classes: int,
        img_size: int,
        in_chans: int,
        patch: int,
        init_values: float | None,
        widths: tuple[int, ...] = (),
        depths: tuple[int, ...] = (),
        width: int = 0,
        depth: int = 0,
    ) -> None:
        super().__init__()
        dims, counts = list(widths) or [width], list(depths) or [depth]
        stem: list[nn.Module] = [Patches(in_chans, dims[0], patch, tokens=False)]
        if len(dims) > 1:
            stem.append(MapNorm(dims[0], eps=EPS))
        self.stem = nn.Sequential(*stem)
        stages: list[nn.Module] = []
        for stage, (dim, blocks) in enumerate(zip(dims, counts, strict=True)):
            if stage:
                before = dims[stage - 1]
                stages += [MapNorm(before, eps=EPS), nn.Conv2d(before, dim, 2, 2)]
            stages += [ConvNeXtBlock(dim, init_values) for _ in range(blocks)]
        self.stages = nn.Sequential(*stages)
        self.norm = nn.LayerNorm(dims[-1], eps=EPS)
        self.head = nn.Linear(dims[-1], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of images."""
        return self.head(self.norm(self.stages(self.stem(x)).mean(dim=(2, 3))))


#: By the start of a model's name.
FAMILIES: dict[str, Callable[..., nn.Module]] = {"vit": ViT, "resmlp": ResMLP, "convnext": ConvNeXt}
