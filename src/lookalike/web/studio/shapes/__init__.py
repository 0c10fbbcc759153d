"""What the studio answers, as types: for `openapi.json`, and for the test that holds the handlers to it.

A page of the studio has a module here. What steps and stages have a class for already is not described again.
"""
