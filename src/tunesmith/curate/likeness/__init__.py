"""Vectors compared with all others, exactly: the nearest of each, and those that nearly repeat another one."""
