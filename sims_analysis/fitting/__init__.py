"""Which parameters of a shape describe a profile, and how well they are known."""
