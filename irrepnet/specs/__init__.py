"""What to build: frozen dataclasses, one for each layer kind; no tensors, no torch."""

from irrepnet.specs._compose import Chain as Chain
from irrepnet.specs._compose import Classifier as Classifier
from irrepnet.specs._compose import Residual as Residual
from irrepnet.specs._layers import Activation as Activation
from irrepnet.specs._layers import Attention as Attention
from irrepnet.specs._layers import ClassToken as ClassToken
from irrepnet.specs._layers import DropPath as DropPath
from irrepnet.specs._layers import InvariantDropout as InvariantDropout
from irrepnet.specs._layers import InvariantMap as InvariantMap
from irrepnet.specs._layers import LayerNorm as LayerNorm
from irrepnet.specs._layers import LayerScale as LayerScale
from irrepnet.specs._layers import Linear as Linear
from irrepnet.specs._layers import PositionalEmbedding as PositionalEmbedding
from irrepnet.specs._layers import Restrict as Restrict
from irrepnet.specs._layers import ToIrreps as ToIrreps
from irrepnet.specs._layers import TokenPool as TokenPool
from irrepnet.specs._spec import Spec as Spec
from irrepnet.specs._spec import from_json as from_json
from irrepnet.specs._windows import Conv as Conv
from irrepnet.specs._windows import DepthwiseConv as DepthwiseConv
from irrepnet.specs._windows import Downsample as Downsample
from irrepnet.specs._windows import PatchEmbed as PatchEmbed
from irrepnet.specs._windows import Unpatchify as Unpatchify
from irrepnet.specs._windows import Upsample as Upsample
