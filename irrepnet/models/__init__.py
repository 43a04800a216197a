"""The families, as functions that return specs, and models by name."""

from irrepnet.models._convnext import ConvNeXtSize as ConvNeXtSize
from irrepnet.models._convnext import IsotropicConvNeXtSize as IsotropicConvNeXtSize
from irrepnet.models._convnext import convnext as convnext
from irrepnet.models._options import image_size as image_size
from irrepnet.models._registry import PREPROCESSING as PREPROCESSING
from irrepnet.models._registry import build as build
from irrepnet.models._registry import create_model as create_model
from irrepnet.models._registry import list_models as list_models
from irrepnet.models._registry import model_spec as model_spec
from irrepnet.models._resmlp import ResMLPSize as ResMLPSize
from irrepnet.models._resmlp import resmlp as resmlp
from irrepnet.models._vit import ViTSize as ViTSize
from irrepnet.models._vit import vit as vit
