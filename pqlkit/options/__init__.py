"""The option: one frozen record per group of a command's options.

The command line's parameters, the project file's sections and the library's keyword arguments are derived from them.
"""
