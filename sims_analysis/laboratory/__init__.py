"""A laboratory's memory: factors that are kept, control charts, wafers."""
