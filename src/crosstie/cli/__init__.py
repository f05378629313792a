"""The command line: one command a use case of `crosstie.app`, in words for people and in JSON for programs.

Everything here but `commands` is the frame around a command: options, errors, logs, and how things are shown.
Importing a command loads click and nothing else; the use case, and with it engine, store and HTTP, is imported by
the command when it runs, so that help and mistakes answer at once. Only `commands.sandbox` and `commands.demo` may
import `crosstie.sandbox`, to start it.
"""


def main() -> None:
    """Run the command line with the arguments of the process and leave with the command's exit code."""
    from crosstie.cli.root import cli

    cli.main(prog_name="crosstie")
