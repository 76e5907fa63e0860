"""The CDK app: one stack, shaped by the context keys of `infra.config`."""

import sys

from aws_cdk import App

from infra.config import Config, ConfigError
from infra.stack import SesInsightsStack


def main() -> None:
    """Synthesise the stack, or exit with code 1 and say which context values cannot be used."""
    app = App()
    try:
        config = Config.from_context(app.node.try_get_context, given=app.node.get_all_context())
    except ConfigError as error:
        sys.exit(str(error))
    SesInsightsStack(app, config.stack_name, config=config)
    app.synth()


if __name__ == "__main__":
    main()
