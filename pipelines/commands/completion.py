"""`clipmill completion`: commands and options at the press of a key."""

import argparse

from pipelines.outcome import Outcome

HELP = "print what makes bash, zsh or fish complete commands, options, their choices and paths"
EXAMPLES = """
source <(clipmill completion bash)
clipmill completion zsh > ~/.zfunc/_clipmill
clipmill completion fish > ~/.config/fish/completions/clipmill.fish
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that is to read it")


def run(arguments: argparse.Namespace) -> Outcome:
    """Prints the script; it asks the command itself, so that it is right after every update."""
    from argcomplete.shell_integration import shellcode

    script = shellcode(["clipmill"], shell=arguments.shell).rstrip()
    return Outcome({"shell": arguments.shell, "script": script}, (script,))
