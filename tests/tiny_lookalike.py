"""The command line with a tiny network, so that a whole swap takes seconds: `python tiny_lookalike.py swap ...`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from faults.warm import warm
    from lookalike.cli import main

    warm()
    main()
