"""The one error class for bad input: its message is a single line that names the thing that is
wrong and the fix.
"""


class InputError(ValueError):
    """Raised for anything the user can mend: a file, a word, a box, a checkpoint, a config key.

    The command line prints the message after ``error:`` and exits with code 2; no traceback is
    shown.
    """

    def __init__(self, message: str):
        super().__init__(" ".join(str(message).split()))
