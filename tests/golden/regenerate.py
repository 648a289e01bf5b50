"""Writes all golden files anew (`make goldens`); the difference is to be read before it is committed."""

from tests.contracts import samples
from tests.golden.render import regenerate as render

if __name__ == "__main__":
    render.regenerate()
    samples.main()
