"""What a run is, before and beside the engine that does it: its configuration, its plan, its start, its metrics. No torch."""
