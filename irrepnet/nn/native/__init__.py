"""Kernels for CPUs, compiled on this machine by its C compiler. See `docs/kernels.md`."""

from irrepnet.nn.native._attention import Attention as Attention
from irrepnet.nn.native._conjugation import Conjugation as Conjugation
from irrepnet.nn.native._conjugation import Conjugations as Conjugations
from irrepnet.nn.native._conjugation import Shift as Shift
from irrepnet.nn.native._heads import Heads as Heads
from irrepnet.nn.native._library import compiler as compiler
from irrepnet.nn.native._library import works as works
from irrepnet.nn.native._typed_norm import TypedNorm as TypedNorm
