"""The models, one a file: each module has a ``MODEL``, and its name is the file's."""
