"""Pages of docs/ made from the running code: settings, command line, problems, mapping."""

from __future__ import annotations

import functools
import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from docs_common import DOCS, HEAD, ROOT, NotComplete, anchor, code, imported, table
from pydantic import SecretStr

from domain.model import DOMAINS

# Keys of the tenant file whose models do not describe them.
KEYS: Mapping[str, str] = MappingProxyType(
    {
        "name": "Short name of the tenant: a-z, 0-9 and dashes. Commands use it.",
        "language": "Language of problems and of the transfer log.",
        "time_zone": "Zone in which the tenant's days begin (IANA name).",
        "severa.base_url": "Address of Severa's REST API; paths such as /v1/customers follow it. `https://`, but for this machine and private networks.",
        "severa.client_id": "Client id of the integration made in Severa.",
        "severa.client_secret": "Its secret. Stored encrypted.",
        "visma_net.base_url": "Address of Visma.net ERP's REST API; /v1 and /v2 follow it. `https://` likewise.",
        "visma_net.auth_url": "Address of Visma Connect; /token follows it. `https://` likewise.",
        "visma_net.kind": "Kind of application in Visma Connect. For an interactive one a person signs in once: "
        "`severa-bridge tenant sign-in NAME`.",
        "visma_net.client_id": "Client id of the application in Visma Connect.",
        "visma_net.client_secret": "Its secret. Stored encrypted.",
        "visma_net.tenant_id": "Tenant id of the ERP company (not of the customer that owns it).",
    }
)
# Variables that are no settings of the program itself.
OTHER_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "BRIDGE_DEMO_SEVERA_URL": "`demo` beside running services: address of the Severa simulator.",
        "BRIDGE_DEMO_ERP_URL": "`demo` beside running services: address of the Visma.net ERP simulator.",
        "BRIDGE_DATABASE_PASSWORD": "`docker-compose.yml`: password of the login in `BRIDGE_DATABASE_URL`.",
        "BRIDGE_BUILD_NETWORK": "`docker-compose.yml`, `make images`: network that builds use.",
    }
)

EXIT_CODES: Mapping[int, str] = MappingProxyType(
    {
        0: "Well. A service that was asked to stop has ended well, too.",
        1: "Something failed that the input is not to blame for; one sentence on standard error.",
        2: "The input or the installation needs something; one sentence on standard error says what.",
        3: "Idle, with open problems.",
        4: "Out of time with unfinished work.",
        130: "Stopped before it was done.",
    }
)
# Where a command's codes mean something of their own.
EXITS: Mapping[str, str] = MappingProxyType(
    {
        "up": "With `--until-idle`: 0 idle without open problems, 3 idle with open problems, 4 out of time, 130 stopped.",
        "demo": "With `--once`: 0 every invoice is proven, 1 one is not.",
        "doctor": "0 everything is fine, 2 something is wrong.",
    }
)


# ---------------------------------------------------------------- settings


def settings_page() -> str:
    """Every BRIDGE_ variable and every key of the tenant file."""
    module = imported("app.settings")
    model = module.Settings
    parts = [
        HEAD,
        "# Settings\n\nThe installation is set by environment variables, each tenant by a file. Times are in seconds.\n",
        "\n## The installation\n",
    ]
    for title, names in _sections(model):
        rows = [
            (
                code(f"BRIDGE_{name.upper()}"),
                _default(model.model_fields[name].default),
                _values(model.model_fields[name].annotation, module.bounds(name)),
                model.model_fields[name].description,
            )
            for name in names
        ]
        parts += [
            f"\n### {title[:1].upper()}{title[1:]}\n\n",
            table(("variable", "default", "values", "what it is"), rows),
        ]
    parts += [
        "\n### Beside the program\n\n",
        table(("variable", "what it is"), ((code(name), said) for name, said in OTHER_VARIABLES.items())),
    ]
    settings = imported("domain.setup.settings")
    of_file = settings.FileSettings.model_fields
    further = (
        (name, one) for name, one in settings.TenantSettings.model_fields.items() if name not in of_file
    )
    example = (DOCS / "tenant.example.toml").read_text(encoding="utf-8")
    parts += [
        "\n## A tenant's file\n\n",
        "`severa-bridge tenant add FILE.toml` reads it. A key that is not listed here is refused. Adding a tenant again\n",
        "changes what the file names: its connections and the settings that stand in it. Everything else stays: links, log,\n",
        "problems, state, other settings, and tokens while their credentials do. A tenant is a pair of companies for life:\n",
        "another organisation or company, or one that another tenant has, is refused.\n",
        f"\n```toml\n{example}```\n\n",
        table(("key", "default", "values", "what it is"), described(tenant_fields(settings.TenantFile))),
        "\n## Further settings of a tenant\n\n",
        "`severa-bridge tenant set NAME KEY VALUE` changes one of these, or one of the file's `settings.` without that word.\n",
        'A table is written as JSON: `severa-bridge tenant set nordkonsult units \'{"tim": "HOUR"}\'`. Old versions are kept.\n\n',
        table(("key", "default", "values", "what it is"), described(further)),
    ]
    return "".join(parts)


def _sections(model: type[Any]) -> list[tuple[str, list[str]]]:
    """The fields in order, under the comments that head them in the class."""
    found: list[tuple[str, list[str]]] = []
    for line in inspect.getsource(model).splitlines():
        if match := re.match(r"    # (.+)$", line):
            found.append((match[1], []))
        elif (match := re.match(r"    (\w+): ", line)) and match[1] in model.model_fields:
            found[-1][1].append(match[1])
    if sorted(name for _, names in found for name in names) != sorted(model.model_fields):
        raise NotComplete("app.settings.Settings has fields outside its commented sections")
    return found


def described(fields: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    """Rows for keys of a tenant: key, default, values, description. Raises NotComplete for one without a description."""
    for key, field in fields:
        description = field.description or KEYS.get(key)
        if description is None:
            raise NotComplete(f"the tenant's key {key} has no description")
        if field.description and not is_used(key.removeprefix("settings.")):
            description += " **Stored only: nothing in this version looks at it.**"
        default = (
            "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        )
        said = imported("domain.setup.settings").setting_bounds(key.removeprefix("settings."))
        yield code(key), default, _values(field.annotation, said), description


def is_used(setting: str) -> bool:
    """Whether any code looks at a tenant's setting: as an attribute of ``settings``, or by a name that can be nothing else."""
    # A single word is a member of the vendors' bodies as well ("attachments"), so only its use as an attribute counts.
    stem = setting.rpartition("_")[0]
    named = f"|[\"']{setting}[\"']|f[\"']{stem}_\\{{" if stem else ""
    wanted = re.compile(rf"\bsettings\.{setting}\b{named}")
    return wanted.search(_sources()) is not None


@functools.cache
def _sources() -> str:
    """Everything that could look at a tenant's setting."""
    paths = [path for folder in ("actors", "app", "domain") for path in sorted((ROOT / folder).rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.name != "settings.py")


def tenant_fields(model: type[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of the tenant file with its pydantic field, sections dotted (``severa.base_url``)."""
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from tenant_fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def _default(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, tuple | dict):
        return code(", ".join(value)) if value else "empty"
    return code(f"{value:f}" if isinstance(value, Decimal) else value)


def _values(annotation: Any, bounds: str = "") -> str:
    if bounds:
        return re.sub(r"^an? |, such as .*$", "", bounds)
    if get_origin(annotation) is Literal:
        return " · ".join(code(one) for one in get_args(annotation))
    if get_origin(annotation) is dict:
        return "table"
    if get_origin(annotation) is tuple:
        return "list"
    kinds = [one for one in get_args(annotation) if one is not type(None)] or [annotation]
    words = {
        bool: "true · false",
        int: "whole number",
        float: "number",
        Decimal: "number",
        Path: "path",
        date: "date",
    }
    return words.get(kinds[0], "secret" if kinds[0] is SecretStr else "text")


# ---------------------------------------------------------------- command line


def cli_page() -> str:
    """Every command with its arguments, options and exit codes, from typer's own help."""
    program = imported("typer.main").get_command(imported("app.cli").app)
    parts = [HEAD, f"# Command line\n\n{program.help}\n\n`--help` after any command shows the same.\n"]
    for path, command in commands(program):
        name = " ".join(path)
        parts.append(f"\n## `severa-bridge {name}`\n\n{inspect.cleandoc(command.help or '')}\n")
        rows = [_parameter(parameter) for parameter in command.params if not parameter.hidden]
        if rows:
            parts += ["\n", table(("", "default", "what it is"), rows)]
        if name in imported("app.cli.rows").COMMANDS:
            parts.append(f"\nJSON: [{name}](json.md#{anchor(name)}).\n")
        if name in EXITS:
            parts.append(f"\nExit code: {EXITS[name]}\n")
    parts += [
        "\n## Exit codes\n\n",
        table(("code", "meaning"), ((code, text) for code, text in EXIT_CODES.items())),
    ]
    return "".join(parts)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def _parameter(parameter: Any) -> tuple[str, str, str]:
    kind = parameter.type_descriptor.annotation
    said = " ".join(part for part in (parameter.help or "", _accepted(kind, parameter)) if part)
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return code(name), "required" if parameter.required else _optional(parameter), said
    word = parameter.metavar or ("NUMBER" if kind in (int, float) else "WORD" if choices(kind) else "TEXT")
    wanted = "" if parameter.is_flag else f" {word}"
    default = (
        "off" if parameter.is_flag else "required" if parameter.required else _default(parameter.default)
    )
    return code(", ".join(parameter.opts) + wanted), default, said


def _optional(parameter: Any) -> str:
    return "optional" if parameter.default is None else _default(parameter.default)


def choices(kind: Any) -> tuple[str, ...]:
    """The values of a fixed set, empty for every other type."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def _accepted(kind: Any, parameter: Any) -> str:
    """What is accepted, where the type itself says it: the words there are, or the bounds of a number."""
    if words := choices(kind):
        return f"One of {', '.join(code(word) for word in words)}."
    info = parameter.type_descriptor.parameter_info
    least, most = getattr(info, "min", None), getattr(info, "max", None)
    return "" if least is None or most is None else f"From {least} to {most}."


# ---------------------------------------------------------------- problems


def problems_page() -> str:
    """Every cause of a problem, and every line of the transfer log, in both languages."""
    catalogue = imported("domain.catalogue")
    causes, sentences = catalogue.causes(), catalogue.sentences()
    parts = [
        HEAD,
        "# Problems\n\nWhat `severa-bridge problems NAME` shows, by cause. `{…}` stands for a value of the record; what stands in `[…]` is said\n",
        "only where its value is there. The texts stand in `domain/*/words.toml`.\n",
        "A problem that closes by itself does so when its record changes and then succeeds. For the others a person acts\n",
        "first and then asks for the record again with `severa-bridge retry NAME PROBLEM`.\n",
    ]
    for domain, found in _by_domain(causes).items():
        parts.append(f"\n## {domain}\n")
        for one in found:
            cause = causes[one]
            rows = [
                (title, _template(getattr(cause, part).sv), _template(getattr(cause, part).en))
                for title, part in (("what is wrong", "wrong"), ("what to do", "do"), ("where", "where"))
            ]
            closes = "yes" if cause.closes_by_itself else "no"
            done = (
                f" What can be done here: {', '.join(code(action) for action in cause.actions)}."
                if cause.actions
                else ""
            )
            parts += [
                f"\n### `{one}`\n\n",
                table(("", "svenska", "English"), rows),
                f"\nCloses by itself: {closes}.{done}\n",
            ]
    parts.append("\n# Lines of the transfer log\n\nBeside the problems above, the log says:\n")
    for domain, found in _by_domain(one for one in sentences if one not in causes).items():
        rows = [(code(one), _template(sentences[one].sv), _template(sentences[one].en)) for one in found]
        parts += [f"\n## {domain}: log\n\n", table(("code", "svenska", "English"), rows)]
    return "".join(parts)


def _template(text: str) -> str:
    """A text as the page shows it: a value by its name, without its kind."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", text)


def _by_domain(codes: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in codes:
        found[one.partition(".")[0]].append(one)
    return {domain: sorted(found[domain]) for domain in sorted(found)}


# ---------------------------------------------------------------- mapping


def mapping_page() -> str:
    """The field tables of every domain, and the registers that are read."""
    parts = [
        HEAD,
        "# Mapping\n\nEvery field that travels, as the tables in `domain/*/table.py` and `domain/*/registers.py` have it. `→` from\n",
        "Severa to Visma.net ERP, `←` back, `↔` both ways, merged against the last values both sides agreed on. Paths are those\n",
        "of the bodies as read; an empty one is a constant or kept in the bridge. Where both sides changed differently, *rule* means\n",
        f"{_conflict_rule()}\n",
    ]
    for domain in DOMAINS:
        tables = list(_tables(domain))
        if not tables:
            raise NotComplete(f"domain.{domain} has no table of fields")
        parts.append(f"\n## {domain[:1].upper()}{domain[1:]}\n")
        for name, rows in tables:
            parts.append(f"\n### {name}\n\n" if len(tables) > 1 else "\n")
            parts.append(table(_COLUMNS, rows))
    parts += [
        "\n## Registers that are read\n\nNamed by the vendors' own path segments; the sign-in must be allowed to read them.\n\n",
        table(("system", "register", "read", "starts at", "concerns"), _registers()),
    ]
    return "".join(parts)


_COLUMNS = ("field", "Severa", "", "Visma.net ERP", "written as", "conversion", "who wins", "note")

# Registers that are kept on both sides: domain → what each table is called, and where it stands.
_KEPT = {
    "customer": (("Customers", "domain.customer.table", "TABLE"), ("Contact persons", "domain.customer.contacts", "TABLE")),
    "product": (
        ("Products", "domain.product.table", "products"),
        ("Work types", "domain.product.table", "worktypes"),
        ("Travel expense types", "domain.product.table", "travelexpensetypes"),
    ),
    "project": (("Projects", "domain.project.table", "TABLE"),),
}  # fmt: skip

# Documents that are made in one go: domain → what each table is called, where it stands, and a kind whose own rows say the same.
_MADE = {
    "invoice": (
        ("Header", "domain.invoice.table", "HEADER", "CreditNote"),
        ("Lines", "domain.invoice.table", "LINE", ""),
        ("Given back", "domain.invoice.table", "BACK", ""),
        ("Files", "domain.invoice.table", "FILES", ""),
    ),
    "cost": (("Fees", "domain.cost.table", "FEE", ""), ("Files", "domain.cost.table", "FILES", "")),
}


def _tables(domain: str) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """What a domain's tables are called, and their rows."""
    if domain in _KEPT:
        for title, module, name in _KEPT[domain]:
            found = vars(imported(module))
            yield title, [_kept(one) for one in found.get(name) or found["TABLES"][name]]
        return
    for title, module, name, but in _MADE.get(domain, ()):
        found = vars(imported(module))[name]
        yield title, [_field(one) for one in (found.fields(but) if hasattr(found, "fields") else found)]
    row = imported("domain.fields").Field
    for name, value in vars(imported(f"domain.{domain}.registers")).items():
        if isinstance(value, tuple) and value and all(isinstance(one, row) for one in value):
            yield name.replace("_", " ").capitalize(), [_field(one) for one in value]


_WHEN = {
    "merged": "",
    "owned": "put back wherever it differs",
    "created": "given to a new record; later differences are only told",
    "given": "given to a new record",
    "key": "carried by a move of its own",
    "seen": "only looked at",
}


def _kept(one: Any) -> tuple[str, ...]:
    owner = {"severa": "Severa", "visma_net": "Visma.net ERP"}.get(one.owner, one.owner)
    written = one.severa_write or (one.erp_write if one.erp_write != one.erp else "")
    note = "; ".join(part for part in (_WHEN[one.when], one.note) if part)
    wins = "" if one.when == "seen" else owner
    return one.name, code(one.severa), one.flows, code(one.erp), code(written), one.as_.name, wins, note


def _conflict_rule() -> str:
    if is_used("conflict_customer"):
        return "what the tenant's `conflict_…` setting says; the value that lost is in the log."
    return "that both values stay and a problem names them."


def _field(one: Any) -> tuple[str, ...]:
    written = one.erp_write if one.erp_write and one.erp_write != one.erp else ""
    owner = {"severa": "Severa", "visma_net": "Visma.net ERP"}.get(one.owner, one.owner)
    return (
        one.name,
        code(one.severa),
        one.direction,
        code(one.erp),
        code(written),
        one.conversion,
        owner,
        one.note,
    )


def _registers() -> Iterator[tuple[str, ...]]:
    usual = imported("domain.setup.settings").TenantSettings()
    for register in sorted(imported("domain.catalogue").registers(), key=lambda one: (one.system, one.name)):
        system = "Severa" if register.system == "severa" else "Visma.net ERP"
        read = "now and then, whole" if register.reference else "every poll"
        if not register.wanted(usual):
            read += ", only when costs are on"
        concerns = "looked up only" if register.reference else "settled"
        yield system, code(register.name), read, code(register.start_setting or ""), concerns
