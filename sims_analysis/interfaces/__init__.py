"""Where interfaces are, how sharp, and how thick the layers between them."""
