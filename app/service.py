"""What people do with tenants, problems and logs: the services under the command line and the web pages, by subject."""

from __future__ import annotations

from app.explaining import explained, log_counts, problem_counts, problems, retry, transfer_log
from app.onboarding import add_tenant, check_connections, go_live, load_tenant_file, sign_in_sentence
from app.tenancy import (
    find_tenant,
    held,
    list_tenants,
    rotate_secrets,
    set_paused,
    set_setting,
    show_tenant,
    staying_tenant,
)
from app.tracing import REGISTER_WORDS, Traced, trace
from app.words import SYSTEM_NAMES

__all__ = [
    "REGISTER_WORDS",
    "SYSTEM_NAMES",
    "Traced",
    "add_tenant",
    "check_connections",
    "explained",
    "find_tenant",
    "go_live",
    "held",
    "list_tenants",
    "load_tenant_file",
    "log_counts",
    "problem_counts",
    "problems",
    "retry",
    "rotate_secrets",
    "set_paused",
    "set_setting",
    "show_tenant",
    "sign_in_sentence",
    "staying_tenant",
    "trace",
    "transfer_log",
]
