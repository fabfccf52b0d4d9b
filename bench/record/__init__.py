"""What recording costs: `make record-cost`."""
