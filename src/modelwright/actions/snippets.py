"""Programs that call an endpoint: the real address, its schema, and a row that it is known to answer."""

from __future__ import annotations

import json
import pprint
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from modelwright.actions.endpoints import endpoint_package, show_endpoint
from modelwright.actions.scoring import EndpointUnreachable
from modelwright.inference.openapi import example_request

if TYPE_CHECKING:
    from modelwright.actions.home import Home

KEY = "YOUR_KEY"
"""Stands for the key in a program until a real one is put there."""


def endpoint_snippets(home: Home, name: str, *, key: str = KEY) -> dict[str, str]:
    """A program by language: curl, python, r, csharp, javascript; each prints the reply.

    key: put into the programs of an endpoint that asks for one.
    Raises NotFound, and EndpointUnreachable when it answers nowhere.
    """
    report = show_endpoint(home, name)
    if not report.scoring_url or report.status is None:
        raise EndpointUnreachable(report.record.name, f"it is {report.state}")
    asks = report.status.endpoint.get("auth") != "none"
    package = endpoint_package(home, name)
    body = example_request(package.inputs)
    # One row says what a request looks like.
    body["Inputs"] = {name: rows[:1] for name, rows in body["Inputs"].items()}
    return {
        language: write(report.scoring_url, key if asks else "", body)
        for language, write in LANGUAGES.items()
    }


def _curl(url: str, key: str, body: Mapping[str, Any]) -> str:
    authorization = f'  -H "Authorization: Bearer {key}" \\\n' if key else ""
    return (
        f'curl -sS "{url}" \\\n  -H "Content-Type: application/json" \\\n{authorization}'
        f"  --data-binary @- <<'JSON'\n{_json(body)}\nJSON\n"
    )


def _python(url: str, key: str, body: Mapping[str, Any]) -> str:
    literal = pprint.pformat(body, sort_dicts=False, width=88)
    headers = ['    "Content-Type": "application/json",']
    if key:
        headers.append('    "Authorization": f"Bearer {key}",')
    secret = [f"key = {key!r}  # the primary or the secondary key"] if key else []
    return "\n".join(
        [
            "import json",
            "import urllib.request",
            "",
            f"url = {url!r}",
            *secret,
            f"body = {literal}",
            "headers = {",
            *headers,
            "}",
            "request = urllib.request.Request(url, json.dumps(body).encode(), headers)",
            "with urllib.request.urlopen(request) as reply:",
            '    print(json.dumps(json.load(reply)["Results"], indent=2))',
            "",
        ]
    )


def _javascript(url: str, key: str, body: Mapping[str, Any]) -> str:
    secret = [f"const key = {json.dumps(key)}; // the primary or the secondary key"] if key else []
    authorization = ["    Authorization: `Bearer ${key}`,"] if key else []
    return "\n".join(
        [
            f"const url = {json.dumps(url)};",
            *secret,
            f"const body = {_json(body)};",
            "",
            "fetch(url, {",
            '  method: "POST",',
            "  headers: {",
            '    "Content-Type": "application/json",',
            *authorization,
            "  },",
            "  body: JSON.stringify(body),",
            "})",
            "  .then(async (reply) => {",
            "    const answer = await reply.json();",
            "    if (!reply.ok) throw new Error(answer.error.message);",
            "    console.log(JSON.stringify(answer.Results, null, 2));",
            "  });",
            "",
        ]
    )


def _r(url: str, key: str, body: Mapping[str, Any]) -> str:
    secret = [f"key <- {json.dumps(key)}  # the primary or the secondary key"] if key else []
    authorization = [
        '  "-H", shQuote(paste("Authorization: Bearer", key)),',
    ]
    return "\n".join(
        [
            "# Base R with the curl command; no package is needed.",
            f"url <- {json.dumps(url)}",
            *secret,
            f'body <- r"---({_json(body)})---"',
            "file <- tempfile(fileext = '.json')",
            "writeLines(body, file, useBytes = TRUE)",
            'reply <- system2("curl", c(',
            '  "-sS", shQuote(url),',
            '  "-H", shQuote("Content-Type: application/json"),',
            *(authorization if key else []),
            '  "--data-binary", shQuote(paste0("@", file))',
            "), stdout = TRUE)",
            'cat(reply, sep = "\\n")',
            "",
        ]
    )


def _csharp(url: str, key: str, body: Mapping[str, Any]) -> str:
    secret = (
        [f"        var key = {json.dumps(key)}; // the primary or the secondary key"] if key else []
    )
    authorization = (
        [
            "            client.DefaultRequestHeaders.Authorization =",
            '                new AuthenticationHeaderValue("Bearer", key);',
        ]
        if key
        else []
    )
    # A verbatim string, in which a quote is written twice: every compiler of the last decades takes it.
    text = _json(body).replace('"', '""')
    return "\n".join(
        [
            "// Compiles with .NET, and with Mono: mcs -r:System.Net.Http.dll Program.cs",
            "using System;",
            "using System.Net.Http;",
            *(["using System.Net.Http.Headers;"] if key else []),
            "using System.Text;",
            "using System.Threading.Tasks;",
            "",
            "public static class Program",
            "{",
            "    public static int Main()",
            "    {",
            "        return Score().GetAwaiter().GetResult();",
            "    }",
            "",
            "    private static async Task<int> Score()",
            "    {",
            f"        var url = {json.dumps(url)};",
            *secret,
            f'        var body = @"{text}";',
            "        using (var client = new HttpClient())",
            "        {",
            *authorization,
            '            var content = new StringContent(body, Encoding.UTF8, "application/json");',
            "            var reply = await client.PostAsync(url, content);",
            "            Console.WriteLine(await reply.Content.ReadAsStringAsync());",
            "            return reply.IsSuccessStatusCode ? 0 : 1;",
            "        }",
            "    }",
            "}",
            "",
        ]
    )


def _json(value: Any) -> str:
    # In ASCII, so that no shell and no editor can damage it.
    return json.dumps(value, indent=2)


LANGUAGES: Mapping[str, Callable[[str, str, Mapping[str, Any]], str]] = {
    "curl": _curl,
    "python": _python,
    "r": _r,
    "csharp": _csharp,
    "javascript": _javascript,
}
"""What writes the program of each language."""
