"""The cases, one module each: what is measured, against what, and how."""
