"""Settings of a composite: several measures of one provider in one figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from profiling.config.fields import Line, Positive, Slug, expected
from profiling.config.sources import Frozen


class Composite(Frozen):
    """Measures of the providers of one level, put together.

    kind: the weighted mean of the logarithms of the ratios (weighted), all events over all expected events
    (opportunity), or one trait behind the measures, found by maximum likelihood (latent). measures: weight by name; in
    the file a list stands for equal weights. Measures where higher is better enter the other way round, so that a
    composite is always worse the higher it is.
    """

    name: Slug
    title: Line
    kind: Literal["weighted", "opportunity", "latent"] = "weighted"
    level: Slug
    measures: Mapping[Slug, Positive] = Field(min_length=1)

    @field_validator("measures", mode="before")
    @classmethod
    def _equal_weights(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        if not all(isinstance(name, str) for name in value) or len(set(value)) < len(value):
            raise expected("names of measures, each once")
        return dict.fromkeys(value, 1.0)
