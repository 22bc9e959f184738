"""Tools and schemas: what a model may call and what it must answer."""
