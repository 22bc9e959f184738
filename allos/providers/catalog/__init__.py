"""Services, their models, and what is known of both."""
