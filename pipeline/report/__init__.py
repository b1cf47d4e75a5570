"""What a replay found, for an analyst: charts, alerts with their evidence, tables; as one page, or as one picture."""
