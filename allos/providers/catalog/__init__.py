"""Catalog of services and models, with their metadata."""
