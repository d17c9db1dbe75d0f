"""Files of instruments, laboratories and simulators, to profiles: one module a format.

``reading`` is what users call; ``formats`` lists the formats in the order in which they are tried;
``source`` decodes a file, ``numbers`` reads its columns; ``signals`` is what every format gives,
and ``finishing`` makes the result of it.
"""
