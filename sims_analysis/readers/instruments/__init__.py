"""Files of instruments and simulators: one module a format."""
