"""Which dead letters are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipeline.deadletters.letter import Letter


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of this reason, of this stage (``extract.parse``, or ``extract`` for all of its stages), since then; None: any.

    ``since`` goes by the time at which the letter came to be.
    """

    reason: str | None = None
    stage: str | None = None
    since: datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return self != Wanted()

    def wants(self, letter: Letter) -> bool:
        """Whether the letter is wanted."""
        failure = letter.failure
        if self.reason is not None and failure.reason != self.reason:
            return False
        if self.stage is not None and self.stage not in {failure.stage, failure.stage.partition(".")[0]}:
            return False
        return self.since is None or letter.timestamp_ms >= self.since.timestamp() * 1000
