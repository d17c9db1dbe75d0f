"""Files of instruments, laboratories and simulators, to profiles.

``files`` holds what users call; ``registry`` lists the formats in the order in which they are
tried; ``instruments`` has one module a format, ``tables`` the grammar of any table. ``source`` is
a file as bytes and text, ``signals`` what every format gives, and ``results`` makes a result of it.
"""
