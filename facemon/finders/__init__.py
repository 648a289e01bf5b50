"""The finders of faces, one file each: what a finder says of itself, and how it is loaded."""
