"""From counts over sputter time to concentration over depth."""
