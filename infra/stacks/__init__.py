"""One module per stack, and the stand-ins that take the place of three of them in stage ``local``."""
