"""The command line. Imports connectors and deploy too: it is the one place that puts the parts together."""
