"""A fleet of gateways on this machine, under a scenario of sluice-load."""
