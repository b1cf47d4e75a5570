"""Alerts out: what each receiver is sent, and how it is sent until it is told or given up."""
