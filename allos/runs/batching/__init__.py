"""The parts of a batch: its data, its plan, what of it is done, and the batch itself."""
