"""Numbers as people read them."""

from __future__ import annotations


def millions(value: int) -> str:
    """A count in millions, as short as it stays true.

    Examples:
        >>> millions(22_059_496), millions(37_632), millions(192), millions(0)
        ('22.06', '0.038', '<0.001', '0')
    """
    if value == 0:
        return "0"
    scaled = value / 1e6
    if scaled < 0.0005:
        return "<0.001"
    return f"{scaled:,.0f}" if scaled >= 1000 else f"{scaled:.{2 if scaled >= 10 else 3}f}"


def times(value: float | None) -> str:
    """A ratio.

    Examples:
        >>> times(1.8345), times(None)
        ('1.83x', '')
    """
    return "" if value is None else f"{value:.2f}x"


def share(value: float, total: float) -> str:
    """A share in percent.

    Examples:
        >>> share(1, 8)
        '12.5%'
    """
    return f"{value / total:.1%}" if total else ""


def milliseconds(value: float | None) -> str:
    """A time in milliseconds.

    Examples:
        >>> milliseconds(912.34), milliseconds(0.0123), milliseconds(None)
        ('912', '0.012', '')
    """
    if value is None:
        return ""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def mebibytes(value: int | None) -> str:
    """A size in MiB.

    Examples:
        >>> mebibytes(3 * 2**20), mebibytes(None)
        ('3 MiB', 'unknown')
    """
    return "unknown" if value is None else f"{value / 2**20:,.0f} MiB"
