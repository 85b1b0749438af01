"""A running sandbox needs neither database nor broker."""

from tests.sandbox_fixture import sandbox

__all__ = ["sandbox"]
