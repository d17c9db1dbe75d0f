"""Where profiles come from: the API's client, the archive, and a server over an archive."""
