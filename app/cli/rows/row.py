"""What every row of JSON is made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

# What a vendor sent, what a setting holds, what fills a sentence: its members are as many as there are causes.
Values = dict[str, Any]


class Row(BaseModel):
    """One JSON object. A member called ``register`` has an alias here: every class has a method of that name."""

    model_config = ConfigDict(extra="forbid")
