"""Tables of any layout: cells, rows of numbers, headers, and the profiles in them."""
