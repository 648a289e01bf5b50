"""facemon: the toolkit that keeps a face-attribute classifier honest in production."""

__version__ = "0.1.0"
