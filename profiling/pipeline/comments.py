"""What providers say of their own figures, as it stands when a run is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def comment_frame(engine: Engine) -> pd.DataFrame:
    """level, provider, position (among the provider's own, in the order of the file), comment."""
    from profiling.store import tables as t
    from profiling.store.bulk import read_frame

    columns = (t.comments.c.level, t.comments.c.provider, t.comments.c.comment)
    found = read_frame(engine, sa.select(*columns).order_by(t.comments.c.comment_id))
    return found.assign(position=found.groupby(["level", "provider"]).cumcount())
