"""What the page of the audit may print of a run: configuration without addresses of databases, counts by rule."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

# A key `database` with all that belongs to it: the rest of its line and the lines indented below it.
_DATABASE = re.compile(r"""^(\s*["']?database["']?\s*:)[^\n]*(?:\n[ \t]+[^\n]*)*""", re.MULTILINE)
_IN_FLOW = re.compile(r"""([{,]\s*["']?database["']?\s*:)[^,}\n]*""")
_USER = re.compile(r"(://)[^\s\"']*@")
_SECRET = re.compile(r"((?:password|passwd|pwd|secret|token)[\"']?\s*[=:]\s*)[^\s,}&]+", re.IGNORECASE)
WITHHELD = " (address withheld)"


def redacted(configuration: str) -> str:
    """The text of a configuration without any database's address, user or password."""
    text = _IN_FLOW.sub(rf"\1{WITHHELD}", _DATABASE.sub(rf"\1{WITHHELD}", configuration))
    return _SECRET.sub(r"\1(withheld)", _USER.sub(r"\1(withheld)@", text))


def masked_rules(outcomes: pd.DataFrame, threshold: int) -> pd.DataFrame:
    """Outcomes of rules by source; numbers from 1 to threshold - 1 of broken rows are missing, and `few` says so.

    Where a source has a single such number, the next larger one goes with it: the total of rejected rows is known.
    How many rows each rule was asked of is left out: a rule is not asked of rows that an earlier one took away.
    """
    table = outcomes.drop(columns="rows_checked", errors="ignore").reset_index(drop=True)
    if table.empty:
        return table.assign(few=pd.Series(dtype=bool), withheld=pd.Series(dtype=bool))
    broken = table["rows_broken"].to_numpy(dtype=float)
    small = (broken >= 1) & (broken < threshold)
    sources = table["source"].to_numpy(dtype=object)
    hidden = small.copy()
    for source in dict.fromkeys(sources[small]):
        mine = np.flatnonzero(sources == source)
        others = mine[(broken[mine] >= threshold)]
        if small[mine].sum() == 1 and len(others):
            hidden[others[np.argmin(broken[others])]] = True
    return table.assign(rows_broken=np.where(hidden, np.nan, broken), few=small, withheld=hidden & ~small)
