"""`python -m facemon` is `facemon`."""

from facemon.cli.main import main

main()
