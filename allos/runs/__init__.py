"""What users call: questions and grids of questions. Works without a notebook."""
