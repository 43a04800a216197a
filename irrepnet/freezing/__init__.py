"""Inference copies with exact foldings, one per file."""

from irrepnet.freezing._centre_stream import centre_stream as centre_stream
from irrepnet.freezing._fold_affine import fold_affine as fold_affine
from irrepnet.freezing._fold_butterfly import fold_butterfly as fold_butterfly
from irrepnet.freezing._fold_scales import drop_dropout as drop_dropout
from irrepnet.freezing._fold_scales import fold_layer_scale as fold_layer_scale
from irrepnet.freezing._fold_scales import fold_norm_affine as fold_norm_affine
from irrepnet.freezing._fold_token_bias import fold_token_bias as fold_token_bias
from irrepnet.freezing._freeze import FOLDINGS as FOLDINGS
from irrepnet.freezing._freeze import freeze as freeze
from irrepnet.freezing._frozen import Frozen as Frozen
from irrepnet.freezing._overwrite import overwrite as overwrite
