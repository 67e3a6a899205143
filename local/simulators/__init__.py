"""The providers on one machine: Slack, Brevo and WhatsApp as strict as the real ones, and an inbox to see it.

One process on one port (``python -m local.simulators --port 8025``):

=====================================  ==================================================================
``/slack/api/*``, ``/slack/services``  :mod:`local.simulators.slack`
``/brevo/v3/*``                        :mod:`local.simulators.brevo`
``/whatsapp/v25.0/*``                  :mod:`local.simulators.whatsapp`
``/appwrite/v1/*``                     :mod:`local.simulators.appwrite`: who signs in
``/_control/*``                        :mod:`local.simulators.control`: faults, ledger, windows, templates
``/``, ``/inbox/*``                    :mod:`local.simulators.pages`: what a person would have received
=====================================  ==================================================================

A provider reads a call and says yes or no in its own words; :mod:`local.simulators.sending` is the one place
where faults, rate limits, the ledger and the inbox meet, so that every provider fails in the same way.
"""
