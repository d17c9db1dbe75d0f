"""What leaves the library: tables and files for other programs, the report, versions."""
