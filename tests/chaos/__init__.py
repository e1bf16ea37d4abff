"""Chaos: the product's own processes are killed, starved and lied to while people act; then everything is counted."""
