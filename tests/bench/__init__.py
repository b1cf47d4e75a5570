"""Benches: ratios measured in one run. Nothing here is asserted by a clock."""
