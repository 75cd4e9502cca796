"""Published results computed again from what was published beside them: how far this agrees with their makers.

`python -m profiling.assessment.agreement [FOLDER]` prints the table.
"""

from profiling.assessment.agreement.table import Agreement, agreements, as_text

__all__ = ["Agreement", "agreements", "as_text"]
