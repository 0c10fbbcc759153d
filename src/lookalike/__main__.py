"""`python -m lookalike`, which torchrun can start."""

from lookalike.cli import main

main()
