"""The sub-commands of ``%allos``."""
