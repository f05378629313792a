"""Lets all processes of the tests keep compiled modules: they start hundreds, and each would compile them anew."""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
