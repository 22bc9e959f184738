"""API keys: where they come from, and to which hosts they may be sent."""
