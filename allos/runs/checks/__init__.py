"""The checks of `allos.doctor`, a module for each area; each check is given whether to go online."""
