"""Frames of allos as tables that people read; frames of anybody else stay as pandas shows them."""
