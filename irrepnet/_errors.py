"""Every mistake a user can make has a class here; each message says got, expected, what to do."""


class IrrepnetError(ValueError):
    """Base of all errors that a user's input can cause."""


class GroupError(IrrepnetError):
    """A group, an element, a subgroup or a group's name is not what it claims to be."""


class RepresentationError(IrrepnetError):
    """Matrices or images do not form a representation, or lie in another group or space."""


class NotExactError(IrrepnetError):
    """An exact matrix was asked of an irrep that exists only numerically."""


class FeatureTypeError(IrrepnetError):
    """A feature type is malformed: unknown irrep, bad multiplicity, indivisible dimension."""


class IrrepMismatchError(IrrepnetError):
    """Two feature types that must meet do not."""


class ActivationError(IrrepnetError):
    """A pointwise activation is not legal on its feature type."""


class HeadsError(IrrepnetError):
    """Attention heads do not split the feature type into sub-representations."""


class GridError(IrrepnetError):
    """The group does not preserve an image size, a patch or a stride."""


class SpecError(IrrepnetError):
    """A spec is malformed, or a layer stands where its input does not fit."""


class CheckpointError(IrrepnetError, RuntimeError):
    """A state dict or a file does not hold what the network needs.

    Also a `RuntimeError`, which is what torch's own `load_state_dict` raises.
    """


class FlopCountError(IrrepnetError):
    """The analytic count and the measured one differ, or an operation is unknown."""


class CertificateError(IrrepnetError):
    """An equivariance certificate cannot be issued (for example, a zero output)."""


class OptionError(IrrepnetError):
    """An option of a command or of a measurement is out of its range."""


class MeasurementError(IrrepnetError):
    """Time or memory could not be measured."""


class CalibrationError(IrrepnetError):
    """A machine's stored calibration cannot be read or written."""


class PictureError(IrrepnetError):
    """A file is no picture, or one that cannot be read."""


class OutputError(IrrepnetError):
    """A report cannot be written where it was asked for."""


class MissingExtraError(IrrepnetError):
    """An optional package is not installed."""
