"""What commands print: results on stdout, all else on stderr, drawn for a terminal and plain in a pipe."""
