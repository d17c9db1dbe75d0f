"""Values of profiles at other depths: at given ones, and on a common axis."""
