"""Routing between deployments, proved on real gateways with a real Redis: `python3 -m bench.routing`."""
