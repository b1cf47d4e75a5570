"""From signals to scores and alerts: pure functions over frozen records, in the records' own time."""
