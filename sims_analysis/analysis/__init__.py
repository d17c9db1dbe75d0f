"""Analysis of profiles, one module per question: read units, run a kernel, attach units."""
