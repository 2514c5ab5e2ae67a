"""`python -m crossport.cli` is `port`."""

from crossport.cli.main import main

main()
