"""What runs: torch modules over plain tensors, each with a dense twin."""

from irrepnet.nn._activation import FUNCTIONS as FUNCTIONS
from irrepnet.nn._activation import GSetActivation as GSetActivation
from irrepnet.nn._activation import ToIrreps as ToIrreps
from irrepnet.nn._activation import check_function as check_function
from irrepnet.nn._attention import IsotypicAttention as IsotypicAttention
from irrepnet.nn._chain import Chain as Chain
from irrepnet.nn._chain import Classifier as Classifier
from irrepnet.nn._chain import Residual as Residual
from irrepnet.nn._gset_basis import GSetBasis as GSetBasis
from irrepnet.nn._head import InvariantMap as InvariantMap
from irrepnet.nn._head import TokenPool as TokenPool
from irrepnet.nn._layer import Layer as Layer
from irrepnet.nn._linear import IsotypicLinear as IsotypicLinear
from irrepnet.nn._norm import IsotypicLayerNorm as IsotypicLayerNorm
from irrepnet.nn._patch_embed import PatchEmbed as PatchEmbed
from irrepnet.nn._pointwise_layers import DropPath as DropPath
from irrepnet.nn._pointwise_layers import InvariantDropout as InvariantDropout
from irrepnet.nn._pointwise_layers import LayerScale as LayerScale
from irrepnet.nn._restrict import Restrict as Restrict
from irrepnet.nn._slot_basis import ADDITIONS_UP_TO as ADDITIONS_UP_TO
from irrepnet.nn._slot_basis import SlotBasis as SlotBasis
from irrepnet.nn._tokens import ClassToken as ClassToken
from irrepnet.nn._tokens import PositionalEmbedding as PositionalEmbedding
