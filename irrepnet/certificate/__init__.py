"""How far a network is from equivariant, measured."""

from irrepnet.certificate._act import act as act
from irrepnet.certificate._act import random_input as random_input
from irrepnet.certificate._certify import Certificate as Certificate
from irrepnet.certificate._certify import Error as Error
from irrepnet.certificate._certify import certify as certify
