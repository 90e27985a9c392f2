"""Keys of known services are found whatever is drawn, and what only looks like one is left alone.

Every key here is put together from a prefix and a body drawn at test time: none stands in this file.
"""

import random
import time

import pytest

from conftest import example
from tunesmith.curate.filters.known import Filters

DIGITS = "0123456789"
HEX = "0123456789abcdef"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALNUM = UPPER.lower() + UPPER + DIGITS
URL_SAFE = ALNUM + "_-"
BASE64 = ALNUM + "+/"
KINDS = [
    ("a private key", "-----BEGIN RSA PRIVATE KEY-----\n", (64, BASE64)),
    ("a private key", "-----BEGIN PRIVATE KEY-----\\n", (64, BASE64)),
    ("a private key", "-----BEGIN RSA PRIVATE KEY-----\nDEK-Info: AES-128-CBC,9F\n\n", (64, BASE64)),
    ("a PuTTY private key", "Private-Lines: 14\n", (64, BASE64)),
    ("an age key", "AGE-SECRET-KEY-1", (58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")),
    ("an AWS access key", "AKIA", (16, UPPER + "234567")),
    ("an Azure storage key", "AccountKey=", (86, BASE64), "=="),
    ("an Azure signature", "?sv=2022-11-02&sig=", (43, ALNUM), "%3D&se=2030"),
    ("an Azure client secret", "", (3, ALNUM), "8Q~", (34, URL_SAFE)),
    ("a GitHub token", "ghp_", (36, ALNUM)),
    ("a GitHub token", "github_pat_", (22, ALNUM), "_", (59, ALNUM)),
    ("a GitLab token", "glpat-", (20, URL_SAFE)),
    ("a Slack token", "xoxb-", (12, DIGITS), "-", (12, DIGITS), "-", (24, ALNUM)),
    ("a Slack token", "xapp-1-A0", (9, UPPER), "-", (13, DIGITS), "-", (64, HEX)),
    ("a Slack webhook", "https://hooks.slack.com/services/T0", (8, UPPER), "/B0", (8, UPPER), "/", (24, ALNUM)),
    ("a Google API key", "AIza", (35, URL_SAFE)),
    ("a Google client secret", "GOCSPX-", (28, URL_SAFE)),
    ("a Google access token", "ya29.a0", (200, URL_SAFE)),
    ("an Anthropic key", "sk-ant-api03-", (93, URL_SAFE), "AA"),
    ("an OpenAI key", "sk-proj-", (120, URL_SAFE)),
    ("an OpenAI key", "sk-", (48, ALNUM)),
    ("a Groq key", "gsk_", (52, ALNUM)),
    ("an xAI key", "xai-", (80, ALNUM)),
    ("a Perplexity key", "pplx-", (48, HEX)),
    ("a Hugging Face token", "hf_", (34, ALNUM[:52])),
    ("a Stripe key", "sk_test_", (24, ALNUM)),
    ("a Stripe key", "rk_live_", (99, ALNUM)),
    ("a webhook secret", "whsec_", (32, ALNUM)),
    ("a Square token", "EAAA", (60, URL_SAFE)),
    ("a Square token", "sq0atp-", (22, URL_SAFE)),
    ("a Shopify token", "shpat_", (32, HEX)),
    ("a Shopify token", "shpss_", (32, HEX)),
    ("a SendGrid key", "SG.", (22, URL_SAFE), ".", (43, URL_SAFE)),
    ("a Twilio key", "SK", (32, HEX)),
    ("a Mailgun key", "key-", (32, HEX)),
    ("a Telegram bot token", "7", (9, DIGITS), ":AA", (33, URL_SAFE)),
    ("a Discord bot token", "MTk4NjIyNDgzNDcxOTI1MjQ4.", (6, URL_SAFE), ".", (27, URL_SAFE)),
    ("a DigitalOcean token", "dop_v1_", (64, HEX)),
    ("a Databricks token", "dapi", (32, HEX), "-2"),
    ("a Vault token", "hvs.", (95, URL_SAFE)),
    ("a Linear key", "lin_api_", (40, ALNUM)),
    ("a Notion token", "ntn_", (11, DIGITS), (35, ALNUM)),
    ("a Notion token", "secret_", (43, ALNUM)),
    ("a New Relic key", "NRAK-", (27, UPPER + DIGITS)),
    ("a Docker token", "dckr_pat_", (27, URL_SAFE)),
    ("a Heroku key", "HRKU-AA", (58, URL_SAFE)),
    ("a Heroku key", "HEROKU_API_KEY=", (8, HEX), "-", (4, HEX), "-", (4, HEX), "-", (4, HEX), "-", (12, HEX)),
    ("an npm token", "npm_", (36, ALNUM)),
    ("a PyPI token", "pypi-AgEIcHlwaS5vcmc", (150, URL_SAFE)),
    ("a JSON web token", "eyJ", (33, ALNUM), ".eyJ", (80, ALNUM), ".", (43, URL_SAFE)),
]  # fmt: skip
SLUG = "fading-circle-with-twelve-dots-and-a-delay"
NO_SECRETS = [
    f".sk-{SLUG} .sk-circle-{SLUG} {{ margin: 0 }}",
    f"gsk_{'a' * 52} and sk-{'x' * 48}",
    "sk-" + "1234567890abcdef" * 3,
    "sk-" + "a1b2c3d4e5f6g7h8i9j0" * 2,
    "Set OPENAI_API_KEY=sk-proj-" + "your-key-goes-here-" * 2,
    "hf_" + "xxxx" + "AbcdefghiJKLmnopqrSTUvwxyzABCD",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE...\n-----END RSA PRIVATE KEY-----",
    "The file begins with -----BEGIN PRIVATE KEY----- and ends with -----END PRIVATE KEY-----.",
    "api_key = 'YOUR_API_KEY'; token: <your-access-token>; password=changeme-1234-now",
    "api_key: ${MY_SERVICE_KEY_2} and Authorization: Bearer {{ACCESS_TOKEN_2}}",
    'secret: process.env.MY_SECRET_KEY, token = response.json()["access_token"]',
    "Connect to postgres://user:password@localhost/app or postgres://me:${DB_PASSWORD}@db/app",
    "Telegram asks at 12345678:AA and answers; cache-key-" + "0f" * 16,
]


def key(*parts: str | tuple[int, str], seed: int) -> str:
    draw = random.Random(seed)  # noqa: S311 - nobody is to be kept out by it
    return "".join(
        part if isinstance(part, str) else "".join(draw.choices(part[1], k=part[0]))
        for part in parts
    )


def reasons(text: str) -> list[str]:
    return [one.finding.reason for one in Filters(["secrets"], root=None)(example("Well?", text))]


@pytest.mark.parametrize(("kind", "parts"), [(kind, parts) for kind, *parts in KINDS])
def test_a_key_of_a_known_service_is_found_whatever_is_drawn(kind, parts):
    for seed in range(100):
        drawn = key(*parts, seed=seed)

        (reason,) = reasons(f'Use "{drawn}" for it.')

        assert reason.startswith(f"holds {kind}: "), (seed, drawn)


@pytest.mark.parametrize("text", NO_SECRETS)
def test_placeholders_slugs_and_what_documentation_prints_are_no_secrets(text):
    assert reasons(text) == []


def test_a_real_key_behind_a_placeholder_of_its_kind_is_found():
    drawn = key("sk-proj-", (48, ALNUM), seed=1)

    assert reasons(f"Replace sk-proj-{'x' * 48} by {drawn}.") == [
        f"holds an OpenAI key: sk-p\u2026 ({len(drawn)} characters)"
    ]


NEARLY = [
    "a",
    "a-",
    "a-a.",
    "-eyJa",
    "password ",
    "d=",
    "token = x8Kq2Lm9",
    "key-",
    "sk-a",
    "a://a:",
    "bearer  ",
    "MTA0",
]


@pytest.mark.parametrize("piece", [*NEARLY, "-----BEGIN PRIVATE KEY-----"])
def test_a_megabyte_that_nearly_matches_takes_no_longer_than_any_other(piece):
    text = "@://" + piece * (1_000_000 // len(piece))
    began = time.perf_counter()

    reasons(text)

    assert time.perf_counter() - began < 5
