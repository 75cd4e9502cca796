"""`python -m profiling.assessment.agreement [FOLDER]`: print the table of agreement with published results."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from profiling.assessment.agreement.table import agreements, as_text


def main(arguments: list[str], environment: dict[str, str]) -> int:
    """Print the table; 0 if everything agrees, 1 if something does not or there are no data."""
    shared = Path(environment.get("PROFILING_SHARED", "../shared")) / "data"
    found = list(agreements(Path(arguments[0]) if arguments else shared))
    if not found:
        print("No published data found: name their folder, or set PROFILING_SHARED", file=sys.stderr)
        return 1
    print("\n".join(as_text(found)))
    return int(any(one.mismatches for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ)))
