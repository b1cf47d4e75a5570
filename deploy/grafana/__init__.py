"""Grafana dashboards as code, a module each; ``python -m deploy.grafana.write`` makes the JSON that Grafana loads."""
