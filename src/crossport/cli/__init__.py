"""The command line: a file for each group of commands; `main.py` puts them together."""

from crossport.cli.main import main, run

__all__ = ["main", "run"]
