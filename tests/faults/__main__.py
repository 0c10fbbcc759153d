"""`python -m faults`, as scripts/faults calls it: one thread, before any library looks."""

import os
import sys

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # threads do not survive a fork
    os.environ[_name] = "1"
os.environ["OPENCV_LOG_LEVEL"] = "ERROR"

if __name__ == "__main__":
    from faults.harness import main

    sys.exit(main())
