"""`relambda`: the command line."""

from importlib import import_module

import click

from relambda.api.exit_codes import ExitCode

COMMANDS = ("start", "stop", "status", "logs", "snapshot", "images", "debug", "doctor", "options")
EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code.value}  {code.meaning}" for code in ExitCode)


class Commands(click.Group):
    """Loads each command's module when it is asked for: `start` must not carry what `images` needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's own signature
        """In the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 click's own
        """The command of a name: an attribute of that name in its own module."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"relambda.api.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="relambda", message="%(version)s")
def main() -> None:
    """AWS Lambda on your own machine, with a memory."""


if __name__ == "__main__":
    main()
