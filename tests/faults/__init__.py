"""Seeded faults over a whole small swap: nothing is lost, and the next run goes on. See docs/faults.md."""
