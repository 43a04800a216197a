"""Groups that move pixels, patches and tokens."""

from irrepnet.actions._image import ImageAction as ImageAction
from irrepnet.actions._image import as_image_action as as_image_action
from irrepnet.actions._image import from_generators as from_generators
from irrepnet.actions._image import image as image
from irrepnet.actions._image import image_names as image_names
from irrepnet.actions._points import PointAction as PointAction
from irrepnet.actions._points import from_images as from_images
from irrepnet.actions._points import natural as natural
