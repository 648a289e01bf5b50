"""One module per use case: a request goes in, an answer comes out, and nothing is printed."""
