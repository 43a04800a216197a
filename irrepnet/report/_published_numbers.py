"""Numbers that papers, their code and their figures give: a table of data."""

from __future__ import annotations

from typing import Any

CODE, FIGURE, README = "code", "figure", "README"

Options = tuple[tuple[str, Any], ...]


def _hybrid(depth: int) -> Options:
    return (("break_at", (("trivial", depth // 2),)),)


def _invariant(depth: int) -> Options:
    return (("invariant_at", ("rms", depth)),)


_VIT = {
    "S": ("vit_small_patch16_224", 12),
    "B": ("vit_base_patch16_224", 12),
    "L": ("vit_large_patch16_224", 24),
    "H": ("vit_huge_patch14_224", 32),
}
_MODELS = {
    "ResMLP-T12": "resmlp_12_224",
    "ResMLP-S24": "resmlp_24_224",
    "ResMLP-B24": "resmlp_b24_224",
    "ResMLP-L24": "resmlp_l24_224",
    "ConvNeXt-T": "convnext_tiny",
    "ConvNeXt-B": "convnext_base",
    "ConvNeXt-S iso": "convnext_isotropic_small",
    "ConvNeXt-B iso": "convnext_isotropic_base",
    "ConvNeXt-L iso": "convnext_isotropic_large",
}

Entry = tuple[str, str, str, Options, str, str, str]


def _vit(size: str, kind: str, value: str, unit: str, source: str) -> Entry:
    model, depth = _VIT[size]
    group, options = {
        "dense": ("trivial", ()),
        "flop": ("flop", ()),
        "flop hybrid": ("flop", _hybrid(depth)),
        "octic hybrid": ("D4", _hybrid(depth)),
        "octic invariant": ("D4", _invariant(depth // 2)),
        "octic to the last block": ("D4", _invariant(depth - 1)),
    }[kind]
    return (f"ViT-{size} {kind}", model, group, options, value, unit, source)


def _other(name: str, group: str, value: str, unit: str, source: str) -> Entry:
    kind = "dense" if group == "trivial" else group
    return (f"{name} {kind}", _MODELS[name], group, (), value, unit, source)


NUMBERS: tuple[Entry, ...] = (
    _vit("S", "dense", "9.198", "GFLOPs", CODE),
    _vit("S", "flop", "5.014", "GFLOPs", CODE),
    _vit("S", "flop hybrid", "7.106", "GFLOPs", CODE),
    _vit("B", "dense", "35.13", "GFLOPs", CODE),
    _vit("B", "flop", "18.40", "GFLOPs", CODE),
    _vit("B", "flop hybrid", "26.76", "GFLOPs", CODE),
    _vit("L", "dense", "123.1", "GFLOPs", CODE),
    _vit("L", "flop", "63.6", "GFLOPs", CODE),
    _vit("S", "octic hybrid", "5.80", "GFLOPs", CODE),
    _vit("S", "octic invariant", "5.84", "GFLOPs", CODE),
    _vit("S", "octic to the last block", "3.01", "GFLOPs", CODE),
    _vit("B", "octic hybrid", "21.53", "GFLOPs", CODE),
    _vit("B", "octic invariant", "21.71", "GFLOPs", CODE),
    _vit("B", "octic to the last block", "10.38", "GFLOPs", CODE),
    _other("ResMLP-S24", "trivial", "11.92", "GFLOPs", CODE),
    _other("ResMLP-S24", "flop", "3.010", "GMACs", CODE),
    _other("ResMLP-B24", "trivial", "46.0", "GFLOPs", CODE),
    _other("ResMLP-B24", "flop", "11.568", "GMACs", CODE),
    _other("ConvNeXt-T", "flop", "2.374", "GMACs", CODE),
    _other("ConvNeXt-B", "flop", "7.955", "GMACs", CODE),
    _other("ConvNeXt-S iso", "trivial", "8.57", "GFLOPs", CODE),
    _other("ConvNeXt-S iso", "flop", "2.205", "GMACs", CODE),
    _other("ConvNeXt-B iso", "trivial", "33.8", "GFLOPs", CODE),
    _other("ConvNeXt-B iso", "flop", "8.572", "GMACs", CODE),
    _vit("S", "dense", "4.7", "GMACs", FIGURE),
    _vit("B", "dense", "17.7", "GMACs", FIGURE),
    _vit("B", "flop", "9.3", "GMACs", FIGURE),
    _vit("B", "flop hybrid", "13.5", "GMACs", FIGURE),
    _vit("L", "dense", "62", "GMACs", FIGURE),
    _vit("L", "flop", "32.3", "GMACs", FIGURE),
    _vit("L", "flop hybrid", "47.1", "GMACs", FIGURE),
    _vit("H", "dense", "168", "GMACs", FIGURE),
    _vit("H", "flop", "87.6", "GMACs", FIGURE),
    _vit("H", "flop hybrid", "127.7", "GMACs", FIGURE),
    _other("ResMLP-T12", "trivial", "3.0", "GMACs", FIGURE),
    _other("ResMLP-T12", "flop", "1.6", "GMACs", FIGURE),
    _other("ResMLP-S24", "trivial", "6.0", "GMACs", FIGURE),
    _other("ResMLP-S24", "flop", "3.1", "GMACs", FIGURE),
    _other("ResMLP-B24", "trivial", "23", "GMACs", FIGURE),
    _other("ResMLP-B24", "flop", "11.7", "GMACs", FIGURE),
    _other("ResMLP-L24", "trivial", "63", "GMACs", FIGURE),
    _other("ResMLP-L24", "flop", "31.7", "GMACs", FIGURE),
    _other("ConvNeXt-S iso", "trivial", "4.3", "GMACs", FIGURE),
    _other("ConvNeXt-S iso", "flop", "2.3", "GMACs", FIGURE),
    _other("ConvNeXt-B iso", "trivial", "17", "GMACs", FIGURE),
    _other("ConvNeXt-B iso", "flop", "8.6", "GMACs", FIGURE),
    _other("ConvNeXt-L iso", "trivial", "60", "GMACs", FIGURE),
    _other("ConvNeXt-L iso", "flop", "30.3", "GMACs", FIGURE),
    _vit("L", "octic hybrid", "38", "GMACs", README),
    _vit("L", "octic invariant", "39", "GMACs", README),
    _vit("H", "octic hybrid", "102", "GMACs", README),
    _vit("H", "octic invariant", "104", "GMACs", README),
)
