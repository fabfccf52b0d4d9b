"""Half an hour of mixed load with faults through the gateway, every exchange checked: `make soak`."""
