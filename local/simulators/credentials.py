"""The credentials the simulators know. They open nothing anywhere else, so they may be public."""

from __future__ import annotations

import hmac
from typing import Final

SLACK_BOT_TOKEN: Final = "xoxb-nofy-local"  # noqa: S105 - see above
SLACK_REVOKED_TOKEN: Final = "xoxb-nofy-revoked"  # noqa: S105
SLACK_WEBHOOK_TEAM: Final = "T0LOCAL"
SLACK_WEBHOOK_SERVICE: Final = "B0LOCAL"
SLACK_WEBHOOK_SECRET: Final = "nofylocal"  # noqa: S105
SLACK_WEBHOOK_PATH: Final = f"/services/{SLACK_WEBHOOK_TEAM}/{SLACK_WEBHOOK_SERVICE}/{SLACK_WEBHOOK_SECRET}"

BREVO_API_KEY: Final = "xkeysib-nofy-local"
# A good key whose account lets in calls from other addresses only.
BREVO_ELSEWHERE_KEY: Final = "xkeysib-nofy-elsewhere"

WHATSAPP_TOKEN: Final = "EAA-nofy-local"  # noqa: S105
WHATSAPP_PHONE_NUMBER_ID: Final = "100000000000001"
# The business number behind that id. Its country code (1) is what gets prepended to numbers without a plus.
WHATSAPP_DISPLAY_NUMBER: Final = "15550100000"
WHATSAPP_COUNTRY_CODE: Final = "1"


def opens(known: str, given: str) -> bool:
    """Whether `given` is the known credential, or one made from it (``<known>-second-project``).

    Several projects on one machine can so have different credentials without anybody registering them.
    """
    return hmac.compare_digest(known, given) or given.startswith(f"{known}-")
