"""The types of arrays that modules of several rooms hand to each other; importing it loads numpy."""

import numpy as np
from numpy.typing import NDArray

Bins = NDArray[np.int32]
"""Numbers of `binning`'s bins."""
Counts = NDArray[np.int64]
"""Rows, faces or images, counted."""
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
"""Places in another array or in a list of labels."""
