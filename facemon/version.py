"""The version of facemon, on its own: modules of every layer name it."""

__version__ = "0.2.0"
