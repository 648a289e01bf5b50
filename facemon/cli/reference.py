"""To come."""

import typer

app = typer.Typer()
